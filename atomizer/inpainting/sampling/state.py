"""The state of a fill: what is known of a sound, and what the priors predict about the rest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from ...atoms.orderings import sort_key
from ...atoms.space import LOUDNESS, AtomSpace
from ...model.config import ModelConfig
from ...model.inference import AtomModel
from ...model.state import REFERENCE_FLOOR_DB, State
from ...priors import band_context
from ...priors.edge_levels import EdgeLevels
from ...priors.highs.tilt import Tilt, continued_tilt
from ...priors.interface import Prediction, PriorContext, bound_by_level
from ...priors.log_power import log_power
from ...priors.pauses import frames_of_level
from ...priors.recording.context import PredictedPart
from ...priors.registry import LEVEL_PRIOR, predict_coefficients
from ...priors.spectral_envelope import band_gain
from ..presets import PRESETS
from ..settings import ModelOrdering, Settings, model_ordering
from ..task import Task
from .bounds import MIN_FRAMES
from .ends import continued_ends
from .windows import Window, channel_groups, crop, crop_known, plan_windows

# on either side of a window, for the spectral envelope
ENVELOPE_CONTEXT_FRAMES = 192
NETWORK_STD_DB = 5.2  # error of the network's mean level of bands above a cutoff
FAR_FRAMES = 32  # distance to the context beyond which the envelope alone gives the level
MAX_CACHED = 64  # windows whose predictions are kept for the next step, if there is one


@dataclass(frozen=True)
class Conditioning:
    """What the model's input contains besides known atoms.

    ordering    the user's, for models that process atoms in it
    use_priors  whether the predictions of the priors are in it
    statistics  of all that is known of the recording (`statistics_of`), for models that take them
    """

    ordering: ModelOrdering | None = None
    use_priors: bool = True
    statistics: torch.Tensor | None = None


def conditioning_of(model: AtomModel, settings: Settings, task: Task) -> Conditioning:
    """All that a model takes besides known atoms; the statistics are those of the whole task."""
    return Conditioning(
        model_ordering(model, settings), statistics=statistics_of(task, model.config)
    )


class FillState:
    """Known magnitudes and signs of a sound's grid; unknown ones are zero, and never read.

    Attributes
    ----------
    magnitude, positive : (C, T, F) float32 and bool
        Magnitudes and signs; where unknown, the proposals of the step in progress.
    velocity_known, sign_known : (C, T, F) bool
        Atoms that are known by now; proposals become known when they are committed.
    observed : (C, T, F) bool
        Atoms that were known from the start.
    preset : FillPreset
    peak : float
        Magnitude of the loudest known atom.
    threshold : float or None
        Magnitude below which all unknown atoms lie.
    max_cached : int
        Windows whose predictions are kept.
    background : PredictedPart or None
        Signed atoms that the rest of the recording predicts, also at known places nearby: linear
        prediction works on the residual, which joins the edges.
    """

    def __init__(
        self,
        task: Task,
        mask: np.ndarray,
        unknown: Collection[str] = LOUDNESS,
        conditioning: Conditioning = Conditioning(),
        background: PredictedPart | None = None,
    ):
        """Start from the atoms of a task that are known.

        mask          (C, T, F) bool: atoms of which something is unknown
        unknown       which of velocity and sign
        conditioning  what the model's input contains besides known atoms
        """
        self.space = task.space
        self.velocity_known = ~mask if "velocity" in unknown else np.ones_like(mask)
        self.sign_known = ~mask if "sign" in unknown else np.ones_like(mask)
        self.magnitude = np.where(self.velocity_known, np.abs(task.grid), np.float32(0))
        self.positive = self.sign_known & (task.grid >= 0)
        self.conditioning = conditioning
        self.observed = self.velocity_known & self.sign_known
        self.signs_only = bool((self.velocity_known & ~self.sign_known).any())
        self.preset = PRESETS[task.preset]
        if self.preset.extend_partials:
            self._hide_above_nyquist(task)
        if self.preset.continues_tilt:
            self._continue_at_ends(task)
        self.threshold = task.threshold if self.preset.quieter_than_known else None
        self.peak = task.reference or 1.0
        self.background = background
        self.max_cached = MAX_CACHED
        self._context: tuple[Window, PriorContext] | None = None
        self._predictions: dict[tuple, tuple[Prediction, Prediction]] = {}

    def _hide_above_nyquist(self, task: Task) -> None:
        """Hide the bins above the Nyquist frequency of a low rate where a hole hides all others.

        No hole selects the silence there, which tells nothing about the hole.
        """
        recorded = task.recorded_bins
        hidden = ~self.observed[..., recorded].any(axis=2)
        self.observed &= recorded | ~hidden[..., None]

    def _continue_at_ends(self, task: Task) -> None:
        """Replace the observed atoms of the first and last frames by those of `continued_ends`."""
        for frames, grid in continued_ends(task):
            known = self.observed[:, frames]
            self.magnitude[:, frames][known] = np.abs(grid)[known]
            self.positive[:, frames][known] = (grid >= 0)[known]

    @cached_property
    def distance_to_context(self) -> np.ndarray:
        """(T,) float32: distance to the nearest frame with observed atoms, 0 to 1 (FAR_FRAMES)."""
        known = self.observed.any(axis=(0, 2))
        away = distance_transform_edt(~known) if known.any() else np.full(len(known), np.inf)
        return np.minimum(away / FAR_FRAMES, 1).astype(np.float32)

    def windows(self, mask: np.ndarray, size: int) -> list[Window]:
        """Windows of `size` frames whose targets tile the frames of mask (C, T, F)."""
        signed = np.where(self.positive, self.magnitude, -self.magnitude)
        return plan_windows(mask, size, channel_groups(mask, signed))

    def commit(self, revealed: np.ndarray) -> None:
        """Make the proposals of (C, T, F) bool known: later steps build on them."""
        self.velocity_known |= revealed
        self.sign_known |= revealed

    def reference(self, window: Window) -> float:
        """Amplitude at 0 dB for the model: the loudest atom that is known in a window.

        In windows with few known frames, as inside a long hole, the surroundings count too.
        Revealed atoms count up to the peak of the sound, so that errors do not grow from step to
        step.
        """
        loudest = self._loudest_known(window)
        if crop_known(self.observed, window).any(axis=(0, 2)).sum() < MIN_FRAMES:
            loudest = max(loudest, self._loudest_known(window.widened(ENVELOPE_CONTEXT_FRAMES)))
        return max(min(loudest, self.peak), self.peak * 10 ** (REFERENCE_FLOOR_DB / 20))

    def _loudest_known(self, window: Window) -> float:
        known = crop(self.velocity_known, window, False)
        return float((crop(self.magnitude, window, 0) * known).max())

    def model_input(
        self, window: Window, space: AtomSpace, wanted: tuple[np.ndarray, ...] | None = None
    ) -> State:
        """The model's input for a window, as a batch of one; a missing channel is absent.

        wanted  channel, frame and bin of the places that will be decoded, as in `State`
        """
        reference = self.reference(window)
        level = self.space.quantise(crop(self.magnitude, window, 0), reference).astype(np.int64)

        def batch(array: np.ndarray, fill) -> torch.Tensor:
            missing = space.channels - len(array)
            padded = np.pad(array, ((0, missing), (0, 0), (0, 0)), constant_values=fill)
            return torch.from_numpy(padded)[None]

        known = State(
            velocity=batch(level, 0),
            sign=batch(crop(self.positive, window, False).astype(np.int64), 0),
            velocity_known=batch(crop_known(self.velocity_known, window), True),
            sign_known=batch(crop_known(self.sign_known, window), True),
            present=batch(np.ones(level.shape, bool), False),
            rank=None if self.conditioning.ordering is None else batch(self.ranks(window), 0),
            statistics=self._scaled_statistics(reference),
        )
        if self.conditioning.use_priors:
            coefficients, levels = self.predictions(window)
            known.estimate, known.prior_std, known.envelope_std = (
                batch(plane.astype(np.float32) / reference, 0)
                for plane in (coefficients.mean, coefficients.std, levels.std)
            )
        if wanted is not None:
            mask = np.zeros(level.shape, bool)
            mask[wanted] = True
            known.wanted = batch(mask, False)
        return known

    def _scaled_statistics(self, reference: float) -> torch.Tensor | None:
        """The statistics of the recording, with levels relative to a window's reference."""
        statistics = self.conditioning.statistics
        if statistics is None:
            return None
        return band_context.scaled(statistics, torch.tensor([reference]))

    def ranks(self, window: Window) -> np.ndarray:
        """(channels, size, F) float32: positions of a window's atoms in the user's ordering.

        Atoms of unknown velocity take the position that their interpolated level gives them.
        """
        ordering = self.conditioning.ordering
        assert ordering is not None
        known = crop_known(self.velocity_known, window)
        expected = self.predictions(window)[1].std
        magnitude = np.where(known, crop(self.magnitude, window, 0), expected)
        noise = np.random.default_rng(ordering.seed).random(magnitude.shape, np.float32)
        key = sort_key(ordering.name, magnitude, noise)
        return -key if ordering.reverse else key

    def prior_context(self, window: Window) -> PriorContext:
        """What the priors may use of a window: the atoms observed from the start.

        That of the last window is kept, because predictions and amplitudes need it in turn.
        """
        if self._context is None or self._context[0] != window:
            self._context = window, self._make_context(window)
        return self._context[1]

    def _make_context(self, window: Window) -> PriorContext:
        observed, magnitude = crop_known(self.observed, window), crop(self.magnitude, window, 0)
        signed = np.where(crop(self.positive, window, True), magnitude, -magnitude)
        channels = list(window.channels)
        first = max(0, window.start - ENVELOPE_CONTEXT_FRAMES)
        wide = slice(first, max(0, window.start) + window.size + ENVELOPE_CONTEXT_FRAMES)
        wide_observed = self.observed[channels, wide]
        frames = np.arange(window.start, window.start + window.size)
        length = self.observed.shape[1]
        inside = max(0, -window.start), min(window.size, length - window.start)
        frames = frames.clip(0, length - 1)
        return PriorContext(
            amplitude=np.where(observed, signed, np.float32(0)),
            observed=observed,
            space=self.space,
            peak=self.peak,
            wide_amplitude=np.where(wide_observed, self.magnitude[channels, wide], np.float32(0)),
            wide_observed=wide_observed,
            offset=window.start - first,
            magnitude_bound=magnitude if self.signs_only else None,
            threshold=self.threshold,
            use_band_context=self.preset.use_band_context,
            edges=self.edge_levels.of_channels(channels) if self.preset.extend_partials else None,
            frames=frames,
            distance=self.distance_to_context[frames],
            inside=inside,
        )

    @cached_property
    def edge_levels(self) -> EdgeLevels:
        """Levels at the edges of the holes of the sound."""
        observed = np.where(self.observed, self.magnitude, 0)
        return EdgeLevels.measure(observed, self.observed, self.peak)

    @cached_property
    def tilts(self) -> list[Tilt | None]:
        """How well the tilt of every channel holds above its cutoff; None without one."""
        return [
            continued_tilt(log_power(np.where(known, loud, 0), self.peak), known)
            for known, loud in zip(self.observed, self.magnitude)
        ]

    @cached_property
    def tilt_weight(self) -> np.ndarray:
        """(C, F) float32: weight of the continued tilt in the level above a cutoff, 0 to 1.

        The network and the tilt are weighted by their precision (`Tilt.variance`).
        """
        weight = np.zeros((len(self.observed), self.observed.shape[2]), np.float32)
        for channel, tilt in enumerate(self.tilts):
            if tilt is not None:
                weight[channel] = NETWORK_STD_DB**2 / (NETWORK_STD_DB**2 + tilt.variance)
        return weight

    def is_in_pause(self, context: PriorContext) -> bool:
        """Whether the hole of a window is in a pause, which alone gives its level."""
        log = log_power(context.wide_amplitude, context.peak)
        return not frames_of_level(context, log).all()

    def predictions(self, window: Window) -> tuple[Prediction, Prediction]:
        """Predictions of a window's amplitudes and of its levels, as float16.

        They depend on observed atoms only, and are kept for later steps.
        """
        key = (window.start, window.channels)
        if key not in self._predictions:
            context = self.prior_context(window)
            levels = LEVEL_PRIOR.predict(context)
            if levels is None:
                raise ValueError("The level prior has a prediction for every window.")
            coefficients = self._predict_coefficients(window, context, levels.std)
            if len(self._predictions) >= self.max_cached:
                self._predictions.pop(next(iter(self._predictions)))
            self._predictions[key] = _half(coefficients), _half(levels)
        return self._predictions[key]

    def _predict_coefficients(
        self, window: Window, context: PriorContext, level_std: np.ndarray
    ) -> Prediction:
        """The background plus what the priors predict of its residual."""
        background = self.background_of(window)
        if background is not None:
            residual = np.where(context.observed, context.amplitude - background, np.float32(0))
            context = replace(context, amplitude=residual)
        found = predict_coefficients(context)
        if found is None:
            found = Prediction(np.zeros_like(level_std), np.zeros_like(level_std))
        elif self.preset.extend_partials:
            mean, std = (bound_by_level(plane, level_std) for plane in (found.mean, found.std))
            found = Prediction(mean, std)
        if background is None:
            return found
        return Prediction(found.mean + background * ~context.observed, found.std)

    def background_of(self, window: Window) -> np.ndarray | None:
        """(channels, size, F) background of a window; None without any."""
        return None if self.background is None else crop(self.background.mean, window, 0)

    def texture_std(self, window: Window) -> np.ndarray:
        """(channels, size, F) float32: standard deviations of a texture of the surroundings' level.

        In a box they are raised to the level of the band, through which a melody moves on.
        """
        std = self.predictions(window)[1].std.astype(np.float32)
        if not self.preset.use_band_context:
            return std
        if self.is_in_pause(self.prior_context(window)):
            return std
        return std * band_gain(self.prior_context(window))


def statistics_of(task: Task, config: ModelConfig) -> torch.Tensor | None:
    """Statistics of all that is known of a task's sound, None for models that take none.

    Of the whole sound: a fill reads the surroundings of its holes alone.
    """
    if not config.statistics:
        return None
    hidden = task.mask & (tuple(task.features) != ("sign",))
    return band_context.of_recording(task.grid, ~hidden, task.space)


def _half(prediction: Prediction) -> Prediction:
    """The same as float16, which halves the memory of the cache."""
    return replace(
        prediction, mean=prediction.mean.astype(np.float16), std=prediction.std.astype(np.float16)
    )
