"""Methods: the model, and the baselines that it is compared with in the same run.

A new method is a function of (case, context) and a row of `METHODS` that lists the kinds of task
it applies to. What it computes belongs into a file of `baselines/`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import TYPE_CHECKING

import numpy as np

from ..analysis import MDCTAtomizer
from ..inpainting.fill import fill, last
from ..inpainting.settings import Settings
from ..inpainting.standout import NothingStandsOut
from ..inpainting.task import prepare
from ..inpainting.time_domain.holes import holes_in_samples
from ..priors.choices import USING
from .baselines import autoregression, channels, codecs, envelopes, neighbours, recording
from .baselines.loop import loop
from .cases import Case, Estimate
from .scores import estimated_kbps
from .tasks import KINDS

if TYPE_CHECKING:
    from ..model.inference import AtomModel

LOOP_SECONDS = 0.5
STANDOUT_DB = 8.0
WIENER_CONTEXT_FRAMES = 160  # on either side of hidden atoms, 3.7 s
CLICK_ORDER = 128  # of the autoregressive model of samples around clicks
# These texts are stored in reports and compared when a report is resumed: change a text only
# together with the computation that it describes.
CONVENTIONS = {
    "oracle": "Gaussian noise of the true power per channel, frame and band of "
    f"{envelopes.BAND_BINS} bins of the MDCT: the ceiling of textures",
    "janssen": f"autoregressive interpolation, order {autoregression.ORDER}, of all samples that "
    "the hidden atoms reach; janssen-span: of the "
    "span alone, which tells it more than the model knows",
    "wiener": "linear prediction alone (atomizer/priors/wiener.py), which the model has as a hint",
    "model": "fill.fill with the settings; texture, partials, recording: settings.using, so that "
    "partials is the model without the copy",
    "standout": f"model, of a selection narrowed to what stands out by {STANDOUT_DB:g} dB",
    "trunk-off": "the decoder without the Transformer's vectors",
    "copy-alone": "the hidden atoms of the recording, shifted by the lag whose surroundings fit "
    f"best ({recording.CONTEXT_SECONDS:g} s on either side)",
    "majority": "the commonest value; of lost places any of the possible ones",
}


@dataclass(frozen=True)
class MethodContext:
    """Input of a method beside the case.

    settings  settings of fills; their seed is the seed of all methods
    model     the model, or None in a run of baselines only
    clip      name of the clip in records
    """

    settings: Settings = Settings()
    model: AtomModel | None = None
    clip: str = ""

    @property
    def seed(self) -> int:
        """Seed of all random numbers."""
        return self.settings.seed


Run = Callable[[Case, MethodContext], Estimate]
MakeGrid = Callable[[Case, MethodContext], np.ndarray]


@dataclass(frozen=True)
class Method:
    """A row of `METHODS`.

    name          name of the method in reports
    run           (case, context) -> estimate
    kinds         kinds of task that the method applies to
    needs_model   whether the method uses the model of the context
    is_available  whether the software that the method needs is installed
    """

    name: str
    run: Run
    kinds: tuple[str, ...]
    needs_model: bool = False
    is_available: Callable[[], bool] = lambda: True


def _fills_atoms(make_grid: MakeGrid) -> Run:
    """Decorate a function that returns a grid of atoms: the method renders the grid."""

    @wraps(make_grid)
    def run(case: Case, context: MethodContext) -> Estimate:
        grid = make_grid(case, context)
        return Estimate(case.task.render(grid).samples, grid)

    return run


def _fill_samples(
    case: Case, start: int, end: int, fill_channel: Callable[[np.ndarray], np.ndarray]
) -> Estimate:
    """Replace the samples from `start` to `end` by `fill_channel(x)` for every channel x (n,)."""
    samples = case.task.sound.samples.copy()
    for x in samples:
        x[start:end] = fill_channel(x)
    return Estimate(samples)


def _model(case: Case, context: MethodContext) -> Estimate:
    """Fill with the model; for levels also the excess cross-entropy."""
    assert context.model is not None, "a method that needs a model is not run without one"
    step = last(fill(case.task, context.settings, context.model))
    extra = {}
    if case.evaluation.kind == "levels":
        from .cross_entropy import excess_nats  # needs torch, which the baselines do not

        extra["excess_nats"] = excess_nats(case.task, case.judged, context.model)
    return Estimate(case.task.render(step.grid).samples, step.grid, extra, step.sources)


def _model_using(using: str, case: Case, context: MethodContext) -> Estimate:
    return _model(case, replace(context, settings=replace(context.settings, using=using)))


def _model_in_what_stands_out(case: Case, context: MethodContext) -> Estimate:
    """Fill what stands out by `STANDOUT_DB`; as it is where nothing does."""
    task = case.task
    selection = replace(task.selection, standout=STANDOUT_DB)
    try:
        narrowed = prepare(task.sound, selection, seed=context.seed)
    except NothingStandsOut:
        return _left_in(case, context)
    return _model(replace(case, task=narrowed), context)


def _model_without_trunk(case: Case, context: MethodContext) -> Estimate:
    from ..model import AtomTransformer, WithoutTrunk

    assert isinstance(context.model, AtomTransformer), "only a full model has a trunk"
    return _model(case, replace(context, model=WithoutTrunk(context.model)))


@_fills_atoms
def _erased(case: Case, context: MethodContext) -> np.ndarray:
    return case.task.erased()


@_fills_atoms
def _noise(case: Case, context: MethodContext) -> np.ndarray:
    return last(fill(case.task, replace(context.settings, method="noise"))).grid


@_fills_atoms
def _wiener(case: Case, context: MethodContext) -> np.ndarray:
    """Return the grid with the Wiener estimate, which the model has as a prior, or zeros."""
    import torch

    from ..priors.wiener import interpolate

    task, part = case.task.crop(WIENER_CONTEXT_FRAMES)
    limit = None if "velocity" in task.features else torch.from_numpy(np.abs(task.grid))
    found = interpolate(
        torch.from_numpy(task.grid), torch.from_numpy(task.mask), limit, task.space.window
    )
    grid = case.task.grid.copy()
    grid[:, part] = np.where(task.mask, 0 if found is None else found.amplitude.numpy(), task.grid)
    return grid


@_fills_atoms
def _fold(case: Case, context: MethodContext) -> np.ndarray:
    return envelopes.fold(case.task.grid, case.task.mask)


@_fills_atoms
def _oracle(case: Case, context: MethodContext) -> np.ndarray:
    noise = envelopes.oracle(case.true_grid, case.task.mask, context.seed)
    return np.where(case.task.mask, noise, case.task.grid)


@_fills_atoms
def _interpolate(case: Case, context: MethodContext) -> np.ndarray:
    return envelopes.interpolate(case.task.grid, case.task.mask, context.seed)


@_fills_atoms
def _copy(case: Case, context: MethodContext) -> np.ndarray:
    return channels.copy(case.task.grid, case.task.mask)


@_fills_atoms
def _neighbours(case: Case, context: MethodContext) -> np.ndarray:
    task = case.task
    return neighbours.fill_neighbours(task.grid, task.mask, task.features, context.seed)


@_fills_atoms
def _majority(case: Case, context: MethodContext) -> np.ndarray:
    task = case.task
    return neighbours.fill_majority(task.grid, task.mask, task.features, case.audible, context.seed)


def _janssen(case: Case, context: MethodContext) -> Estimate:
    """Interpolate all samples that the hidden atoms affect."""
    start, end = case.affected_samples
    return _fill_samples(case, start, end, lambda x: autoregression.janssen(x, start, end))


def _janssen_clicks(case: Case, context: MethodContext) -> Estimate:
    """Interpolate every selected span of a few milliseconds, in the order of time."""
    sound, samples = case.task.sound, case.masked.copy()
    holes = holes_in_samples(case.task.selection, sound.rate, samples.shape[1])
    for x in samples:
        for start, end in holes:
            x[start:end] = autoregression.janssen(x, start, end, CLICK_ORDER)
    return Estimate(samples)


@_fills_atoms
def _copy_alone(case: Case, context: MethodContext) -> np.ndarray:
    task, masked = case.task, case.masked
    lag = recording.best_lag(masked, *case.affected_samples, task.sound.rate)
    if lag is None:
        return task.erased()
    copied = MDCTAtomizer(task.space).grid(recording.shift(masked, lag))
    return np.where(task.mask, copied, task.grid)


def _left_in(case: Case, context: MethodContext) -> Estimate:
    return Estimate(case.task.sound.samples)


def _janssen_span(case: Case, context: MethodContext) -> Estimate:
    """Interpolate the hidden span alone, with more known samples than the model has."""
    start, end = case.span_samples
    return _fill_samples(case, start, end, lambda x: autoregression.janssen(x, start, end))


def _extrapolate(case: Case, context: MethodContext) -> Estimate:
    start, end = case.affected_samples
    return _fill_samples(
        case, start, end, lambda x: autoregression.continue_sound(x[:start], end - start)
    )


def _loop(case: Case, context: MethodContext) -> Estimate:
    start, end = case.affected_samples
    period = int(LOOP_SECONDS * case.task.sound.rate)
    return _fill_samples(case, start, end, lambda x: loop(x[None, :start], end - start, period)[0])


def _decorrelate(case: Case, context: MethodContext) -> Estimate:
    sound, hidden = case.task.sound, np.asarray(case.task.mask.all(axis=(1, 2)))
    return Estimate(channels.decorrelate(sound.samples, hidden, context.seed, sound.rate))


def _transcode(codec: str, case: Case, context: MethodContext) -> Estimate:
    """Encode the original with a codec at the estimated size of the known atoms."""
    sound = case.task.sound
    samples, size = codecs.transcode(sound.samples, sound.rate, codec, estimated_kbps(case))
    return Estimate(samples, extra_metrics={"kbps": size})


_HOLES = ("gap", "continue", "box")
_REPAIRS = ("repair", "clicks")
_TEXTURES = ("bandwidth", "upmix", *_HOLES)
_FEATURES = ("levels", "places")  # one feature of the hidden atoms is unknown
METHODS = {
    method.name: method
    for method in (
        Method("model", _model, KINDS, needs_model=True),
        *(
            Method(using, partial(_model_using, using), (*_HOLES, "repair"), needs_model=True)
            for using in USING
            if using != "auto"
        ),
        Method("standout", _model_in_what_stands_out, ("repair",), needs_model=True),
        Method("copy-alone", _copy_alone, (*_HOLES, "repair")),
        Method("left-in", _left_in, _REPAIRS),
        Method("erased", _erased, tuple(kind for kind in KINDS if kind != "compress")),
        Method("truncate", _erased, ("compress",)),
        Method("noise", _noise, (*_TEXTURES, *_REPAIRS, "restore", "compress")),
        Method("wiener", _wiener, (*_HOLES, "repair", "restore", "levels")),
        Method("fold", _fold, ("bandwidth",)),
        Method("oracle", _oracle, _TEXTURES),
        Method("janssen", _janssen, ("gap",)),
        Method("janssen-clicks", _janssen_clicks, ("clicks",)),
        Method("janssen-span", _janssen_span, ("gap",)),
        Method("ar", _extrapolate, ("continue",)),
        Method("interpolate", _interpolate, ("gap",)),
        Method("loop", _loop, ("continue",)),
        Method("copy", _copy, ("upmix",)),
        Method("decorrelator", _decorrelate, ("upmix",)),
        Method("neighbours", _neighbours, ("restore", *_FEATURES)),
        Method("majority", _majority, _FEATURES),
        *(
            Method(
                codec,
                partial(_transcode, codec),
                ("compress",),
                is_available=partial(codecs.is_installed, codec),
            )
            for codec in codecs.CODECS
        ),
        Method("trunk-off", _model_without_trunk, KINDS, needs_model=True),
    )
}
