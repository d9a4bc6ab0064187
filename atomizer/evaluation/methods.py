"""Methods: the model, and the baselines it is measured against. Each says which kinds of task it applies to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..inpainting.fill import fill, last
from ..inpainting.settings import Settings, resolve
from .baselines import autoregression, channels, codecs, envelopes, neighbours
from .baselines.loop import loop
from .tasks import KINDS, Case, Filled, estimated_kbps

if TYPE_CHECKING:
    from ..model import AtomTransformer

LOOP_SECONDS = 0.5
BARE = ("levels", "places")  # kinds of which something of every hidden atom is known
CONVENTIONS = {
    "oracle": f"Gaussian noise of the true power per channel, frame and band of {envelopes.BAND} bins of the MDCT: the ceiling of textures",
    "janssen": f"autoregressive interpolation, order {autoregression.ORDER}, of all samples that the hidden atoms reach; janssen-span: of the "
    "span alone, which tells it more than the model knows",
    "wiener": "linear prediction alone (atomizer/priors/wiener.py), which the model has as a hint",
    "trunk-off": "the decoder without the Transformer's vectors",
    "majority": "the commonest value; of lost places any of the possible ones",
}


@dataclass(frozen=True)
class How:
    """What a method may use beside the case: how the model fills, the model if there is one, and the seed of everything random."""

    settings: Settings = Settings()
    model: AtomTransformer | None = None

    @property
    def seed(self) -> int:
        return self.settings.seed


@dataclass(frozen=True)
class Method:
    """name; run(case, how) -> what it fills in; kinds of task that it applies to; whether it needs a model."""

    name: str
    run: Callable[[Case, How], Filled]
    kinds: tuple[str, ...]
    model: bool = False
    available: Callable[[], bool] = lambda: True


def _of_grid(make: Callable[[Case, How], np.ndarray]) -> Callable[[Case, How], Filled]:
    """A method that fills in a grid of atoms."""

    def run(case: Case, how: How) -> Filled:
        grid = make(case, how)
        return Filled(case.task.render(grid).samples, grid)

    return run


def _by_channel(
    start: int, end: int, case: Case, make: Callable[[np.ndarray], np.ndarray]
) -> Filled:
    """The sound with what `make` gives for every channel (n,) between two samples."""
    samples = case.task.sound.samples.copy()
    for x in samples:
        x[start:end] = make(x)
    return Filled(samples)


def _model(case: Case, how: How, trunk: bool) -> Filled:
    """Fill with the model, or with its decoder alone where `trunk` is False."""
    from ..inpainting.sampler import sample  # needs torch, which the baselines do not
    from ..model import WithoutTrunk
    from .priors import excess_nats

    assert how.model is not None, "a method that needs a model is not run without one"
    settings = resolve(how.settings, case.task)
    model = how.model if trunk else WithoutTrunk(how.model)
    grid = last(sample(case.task, settings, model)).grid
    facts = {}
    if case.evaluation.kind == "levels":
        facts["excess_nats"] = excess_nats(case.task, case.asked, model)
    return Filled(case.task.render(grid).samples, grid, facts)


def _wiener(case: Case, how: How) -> np.ndarray:
    """Linear prediction alone, which the model has as a hint."""
    import torch

    from ..priors.wiener import interpolate

    task = case.task
    limit = None if "velocity" in task.features else torch.from_numpy(np.abs(task.grid))
    found = interpolate(
        torch.from_numpy(task.grid), torch.from_numpy(task.mask), limit, task.space.window
    )
    return np.where(task.mask, 0 if found is None else found.amplitude.numpy(), task.grid)


def _janssen(case: Case, how: How, reach: tuple[int, int]) -> Filled:
    return _by_channel(*reach, case, lambda x: autoregression.janssen(x, *reach))


def _ar(case: Case, how: How) -> Filled:
    start, end = case.reached_samples
    return _by_channel(start, end, case, lambda x: autoregression.continued(x[:start], end - start))


def _loop(case: Case, how: How) -> Filled:
    start, end = case.reached_samples
    period = int(LOOP_SECONDS * case.task.sound.rate)
    return _by_channel(start, end, case, lambda x: loop(x[None, :start], end - start, period)[0])


def _decorrelator(case: Case, how: How) -> Filled:
    sound = case.task.sound
    return Filled(
        channels.decorrelate(
            sound.samples, np.asarray(case.task.mask.all(axis=(1, 2))), how.seed, sound.rate
        )
    )


def _codec(name: str) -> Method:
    def run(case: Case, how: How) -> Filled:
        sound = case.task.sound
        samples, size = codecs.transcode(sound.samples, sound.rate, name, estimated_kbps(case))
        return Filled(samples, facts={"kbps": size})

    return Method(name, run, ("compress",), available=lambda: codecs.installed(name))


_ERASED = _of_grid(lambda case, how: case.task.erased())
_TEXTURES = ("bandwidth", "gap", "continue", "upmix", "box")
METHODS = {
    method.name: method
    for method in (
        Method("model", lambda case, how: _model(case, how, True), KINDS, model=True),
        Method("erased", _ERASED, tuple(kind for kind in KINDS if kind != "compress")),
        Method("truncate", _ERASED, ("compress",)),
        Method(
            "noise",
            _of_grid(
                lambda case, how: last(fill(case.task, replace(how.settings, method="noise"))).grid
            ),
            (*_TEXTURES, "restore", "compress"),
        ),
        Method("wiener", _of_grid(_wiener), ("gap", "continue", "box", "restore", "levels")),
        Method(
            "fold",
            _of_grid(lambda case, how: envelopes.fold(case.task.grid, case.task.mask)),
            ("bandwidth",),
        ),
        Method(
            "oracle",
            _of_grid(lambda case, how: envelopes.oracle(case.task.grid, case.task.mask, how.seed)),
            _TEXTURES,
        ),
        Method("janssen", lambda case, how: _janssen(case, how, case.reached_samples), ("gap",)),
        Method("janssen-span", lambda case, how: _janssen(case, how, case.span_samples), ("gap",)),
        Method("ar", _ar, ("continue",)),
        Method(
            "interpolate",
            _of_grid(
                lambda case, how: envelopes.interpolate(case.task.grid, case.task.mask, how.seed)
            ),
            ("gap",),
        ),
        Method("loop", _loop, ("continue",)),
        Method(
            "copy",
            _of_grid(lambda case, how: channels.copy(case.task.grid, case.task.mask)),
            ("upmix",),
        ),
        Method("decorrelator", _decorrelator, ("upmix",)),
        Method(
            "neighbours",
            _of_grid(
                lambda case, how: neighbours.fill_neighbours(
                    case.task.grid, case.task.mask, case.task.features, how.seed
                )
            ),
            ("restore", *BARE),
        ),
        Method(
            "majority",
            _of_grid(
                lambda case, how: neighbours.fill_majority(
                    case.task.grid, case.task.mask, case.task.features, case.audible, how.seed
                )
            ),
            BARE,
        ),
        *(_codec(name) for name in codecs.CODECS),
        Method("trunk-off", lambda case, how: _model(case, how, False), KINDS, model=True),
    )
}
