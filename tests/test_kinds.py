"""A short form of `python -m tests.kinds`: variants of inputs that failed once."""

from __future__ import annotations

import pytest
from kinds import files, fills  # noqa: F401  register their kinds
from kinds.registry import KINDS

SHORT = {
    "short_holes": [6],
    "tones_through_holes": [2, 6],
    "pulses_through_holes": [0, 9],
    "clicks": [5],
    "clicks_at_high_rates": [1, 5],
    "pauses": [1, 9],
    "whistles": [0],
    "highs": [7, 8],
    "low_rates": [0, 9],
    "correlation_in_music": [0],
    "reach_of_a_hole": [2],
    "position_of_a_source": [8],
    "peaks_above_full_scale": [2, 9],
    "bits_of_files": [3, 5],
    "rounding": [1, 6],
    "lengths_of_files": [4, 9, 11, 12, 14, 16],
    "order_of_channels": [3, 8],
}


@pytest.mark.parametrize("name", SHORT)
def test_variants_of_what_failed_once_are_right(name):
    for number in SHORT[name]:
        case = KINDS[name].cases[number]
        value = case.figure()
        assert case.is_right(value), f"{case.name}: {value:g}, not {case.low:g} to {case.high:g}"


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_ten_variants(name):
    assert len(KINDS[name].cases) >= 10
