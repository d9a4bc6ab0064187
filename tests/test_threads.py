"""Independent computations on several threads."""

import threading

import pytest
import torch

from atomizer.priors.threads import in_threads


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_have_the_order_of_the_values(threads):
    assert in_threads(lambda n: n * n, range(20)) == [n * n for n in range(20)]
    assert in_threads(str, []) == []


def test_values_are_computed_side_by_side(threads):
    together = threading.Barrier(2)

    def wait(_):
        try:
            together.wait(timeout=20 if threads == 2 else 0.01)
        except threading.BrokenBarrierError:
            return False
        return True

    assert in_threads(wait, range(2)) == [threads == 2] * 2


def test_an_error_reaches_the_caller(threads):
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda n: 1 / n, [1, 0])
