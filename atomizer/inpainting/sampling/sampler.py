"""The sampler: reveals unknown atoms with the model, step by step, along an ordering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...atoms.orderings import BY_LEVEL, reveal_schedule, sort_key
from ...atoms.space import LOUDNESS
from ...model.atom_transformer import Encoded
from ...model.inference import AtomModel, decode, encode
from ...priors.highs.level_tracks import track_gains
from ...priors.highs.long_term import level_gains
from ...priors.highs.timbre import timbre_gains
from ...priors.recording.context import PredictedPart, RecordingPrediction, erase_hidden
from ...priors.registry import predict_from_recording
from ..highs.cutoff import cutoff_bin
from ..highs.like import parse_levels
from ..settings import Resolved, Settings
from ..source_spans import barred_samples
from ..step import PARTS, Step
from ..stereo_image import StereoImage
from ..task import Task
from .amplitudes import (
    Draw,
    Moments,
    Targets,
    Textured,
    strategy_for,
)
from .bounds import Bounds
from .coarse_bins import Places, coarse_bins
from .placement import place
from .state import (
    ENVELOPE_CONTEXT_FRAMES,
    NETWORK_STD_DB,
    Conditioning,
    FillState,
    conditioning_of,
)
from .wiener_blend import WienerBlend, wiener_blend
from .windows import Window


@torch.no_grad()
def sample(task: Task, settings: Resolved, model: AtomModel) -> Iterator[Step]:
    """Fill a task with a model; see `fill.fill`."""
    task.space.check_same_analysis(model.config.space)
    model.eval()
    # a gap costs the same in a long sound as in a short one
    local, part = task.crop(model.config.space.frames + ENVELOPE_CONTEXT_FRAMES)
    found = predict_from_task(task, settings)
    background = None if found is None else found.cut(part.start, part.stop)
    origin: dict[str, Any] = {}
    if found is not None:
        origin = {"sources": tuple(found.sources), "priors": found.priors}
    whole = local.mask.shape == task.mask.shape
    conditioning = conditioning_of(model, settings, task)
    for step in _sample(FillInputs(local, settings, model, conditioning, background)):
        if whole:
            yield replace(step, **origin)
            continue
        grid, revealed = task.grid.copy(), np.zeros_like(task.mask)
        grid[:, part], revealed[:, part] = step.grid, step.revealed
        yield Step(step.number, step.total, grid, revealed, copied=step.copied, **origin)


def predict_from_task(task: Task, settings: Settings) -> RecordingPrediction | None:
    """Predict the hidden atoms of a task from the rest of its recording; None without prediction.

    Of the settings, `using`, `source` and `not_from` count.
    """
    using = settings.using
    if using == "texture" or not task.uses_recording:
        return None
    samples = task.sound.at(task.space.rate)
    context = erase_hidden(samples, task.grid, task.mask, task.space)
    context = replace(
        context,
        barred=barred_samples(task, settings.source, settings.not_from),
        is_source_chosen=bool(settings.source),
    )
    return predict_from_recording(context, using)


@dataclass(frozen=True)
class FillInputs:
    """A task with everything that its fill needs.

    conditioning  what the model's input contains besides known atoms
    background    what the rest of the recording predicts, also at known places nearby
    """

    task: Task
    settings: Resolved
    model: AtomModel
    conditioning: Conditioning
    background: PredictedPart | None = None


def _sample(inputs: FillInputs) -> Iterator[Step]:
    """Fill a task; where atoms lost their time, frequency or channel, place them first."""
    task, settings, model = inputs.task, inputs.settings, inputs.model
    unknown = set(task.features)
    if unknown <= set(LOUDNESS) or task.selection.erases:
        yield from _reveal(inputs, task.mask, unknown)
        return
    unknown &= set(LOUDNESS)
    step = None
    for step in place(task, settings, model):
        yield step.as_first_of_two(settings.steps) if unknown else step
    if not unknown or step is None:
        return
    placed = task.mask & (step.grid != 0)
    moved = replace(inputs, task=replace(task, grid=step.grid))
    for later in _reveal(moved, placed, unknown):
        revealed = later.revealed | (task.mask & ~placed)
        yield replace(later, revealed=revealed).as_second_of_two(step)


def _reveal(inputs: FillInputs, mask: np.ndarray, unknown: set[str]) -> Iterator[Step]:
    """Reveal the unknown ones of velocity and sign at the places of mask (C, T, F)."""
    task, settings, model = inputs.task, inputs.settings, inputs.model
    state = FillState(task, mask, unknown, inputs.conditioning, inputs.background)
    if state.velocity_known.all():
        mask = mask & (state.magnitude > 0)  # a silent atom has no sign to predict
    filler = Filler(task, state, model, settings)
    windows = state.windows(mask, model.config.space.frames)
    if settings.steps == 1:
        state.max_cached = 1  # no window comes again
        yield from _reveal_at_once(filler, mask, windows)
    else:
        yield from _reveal_in_steps(filler, mask, windows)


def _reveal_at_once(filler: Filler, mask: np.ndarray, windows: list[Window]) -> Iterator[Step]:
    """Fill everything in one step, which is shown, and can be stopped, part by part."""
    remaining, parts = mask.copy(), min(len(windows), PARTS)
    for number in range(1, parts + 1):
        for window in windows[_share(len(windows), number, parts)]:
            filler.propose(window, mask)
            remaining[window.target_channels, window.target_start : window.target_stop] = False
        filler.mix(mask)
        yield filler.step(number, parts, remaining)


def _reveal_in_steps(filler: Filler, mask: np.ndarray, windows: list[Window]) -> Iterator[Step]:
    """Fill in `settings.steps` steps; each step sees what the ones before it revealed.

    Orders by level are adaptive, as in MaskGIT (Chang et al. 2022): every step predicts all
    remaining atoms and reveals the loudest, or the most audible. Other orders are scheduled in
    advance.
    """
    settings, state = filler.settings, filler.state
    schedule = None
    if settings.order not in BY_LEVEL or state.velocity_known.all():
        schedule = reveal_schedule(
            mask, state.magnitude, settings.order, settings.steps, settings.reverse, settings.seed
        )
    remaining, total = mask.copy(), int(mask.sum())
    for number in range(1, settings.steps + 1):
        step_mask = remaining if schedule is None else schedule == number
        for window in windows:
            filler.propose(window, step_mask)
        if schedule is None:
            part = _share(total, number, settings.steps)
            count = part.stop - part.start
            level = state.magnitude
            if settings.order != "velocity":
                level = -sort_key(settings.order, state.magnitude, np.zeros(1, np.float32))
            step_mask = loudest_places(level, remaining, count, settings.reverse)
        filler.commit(step_mask)
        remaining = remaining & ~step_mask
        yield filler.step(number, settings.steps, remaining)


def _share(total: int, number: int, parts: int) -> slice:
    """The `number`-th, from 1, of nearly equal parts of a range."""
    return slice(total * (number - 1) // parts, total * number // parts)


def loudest_places(
    magnitude: np.ndarray, mask: np.ndarray, count: int, reverse: bool
) -> np.ndarray:
    """Bool mask of the `count` places of a mask with the largest, or smallest, magnitude.

    magnitude  or any other value of each place
    """
    where = np.flatnonzero(mask)
    value = magnitude.ravel()[where]
    chosen = where[np.argsort(value if reverse else -value, kind="stable")[:count]]
    out = np.zeros(mask.size, bool)
    out[chosen] = True
    return out.reshape(mask.shape)


@dataclass
class Filler:
    """Predicts atoms of windows and collects their amplitudes in `grid`.

    proposed, copied  how many atoms were filled so far, and how many of them by copies alone
    """

    task: Task
    state: FillState
    model: AtomModel
    settings: Resolved
    proposed: int = 0
    copied: int = 0

    def __post_init__(self) -> None:
        task, state = self.task, self.state
        # selected atoms that are known, or silent and therefore without a sign, are filled at once
        self.grid = np.where(task.mask & ~state.observed, np.float32(0), task.grid)
        self.generator = torch.Generator().manual_seed(self.settings.seed)
        self.bounds = Bounds(
            state.magnitude, state.observed, state.preset, task.reference, state.threshold
        )
        self.image: StereoImage | None = None
        textured = self.settings.amplitudes == "texture" and state.preset.has_surroundings
        if textured and len(task.grid) > 1:
            self.image = StereoImage(task.grid, state.observed, task.space.bin_hz)

    def mix(self, mask: np.ndarray) -> None:
        """Give the collected textures of mask (C, T, F) the stereo image of the surroundings."""
        if self.image is not None:
            known = self.state.velocity_known & self.state.sign_known
            self.image.mix(self.grid, known, mask)

    def commit(self, revealed: np.ndarray) -> None:
        """Make the proposals of (C, T, F) bool known, and drop all others."""
        self.mix(revealed)
        if self.image is not None:
            self.image.drawn[:] = False
        self.state.commit(revealed)

    def step(self, number: int, total: int, remaining: np.ndarray) -> Step:
        """The result so far: atoms that remain unknown are silent."""
        last = number == total
        if last and self.corrects_levels:
            self.grid = self.corrected()
        grid = self.grid if last else np.where(remaining, np.float32(0), self.grid)
        copied = self.copied / max(self.proposed, 1)
        return Step(number, total, grid, self.task.mask & ~remaining, copied=copied)

    @property
    def corrects_levels(self) -> bool:
        """Whether the bands above a cutoff are corrected to the long-term envelope."""
        erases = self.task.selection.erases and self.settings.amplitudes == "texture"
        return erases and self.state.preset.continues_tilt

    def corrected(self) -> np.ndarray:
        """The grid (C, T, F) with the levels above the cutoff corrected.

        Mean levels by `level_gains`, levels of every frame by `track_gains`; a code of timbre is
        a difference from both.
        """
        task, cutoff = self.task, cutoff_bin(self.task.mask)
        if cutoff is None:
            return self.grid
        trust = self.state.tilt_weight.mean(0)
        error = NETWORK_STD_DB * np.sqrt(1 - trust)
        like = parse_levels(self.settings.like)
        gain = level_gains(self.grid, cutoff, error, task.space, like)
        tracks = track_gains(self.grid * gain, cutoff, trust, task.space, like is not None)
        gain = gain * timbre_gains(cutoff, trust, task.space, self.settings.timbre) * tracks
        highest = np.float32(self.bounds.highest)
        return np.where(task.mask, (self.grid * gain).clip(-highest, highest), self.grid)

    def propose(self, window: Window, step_mask: np.ndarray) -> None:
        """Predict the targets of a window that lie in step_mask (C, T, F).

        Magnitudes and signs go to the state, where later steps see them once they are committed;
        the amplitudes that are heard go to the grid.
        """
        place = window.targets(step_mask)
        if not len(place[0]):
            return
        self.proposed += len(place[0])
        ceiling = self.bounds.ceiling(window)
        blend = wiener_blend(self.state, window, self.settings.amplitudes, ceiling)
        if blend is not None:
            place = self._take_copied(window, place, blend)
            if not len(place[0]):
                return
        for targets, draw in self._draw(window, place, ceiling):
            self._take_drawn(window, targets, draw, blend)

    def _take_drawn(
        self, window: Window, targets: Targets, draw: Draw, blend: WienerBlend | None
    ) -> None:
        """Fill targets with what was drawn: known levels and signs stay, the rest is blended."""
        state, (channel, _, bin_) = self.state, targets.place
        at = (window.target_channels[channel], targets.frame, bin_)
        velocity_known, sign_known = state.velocity_known[at], state.sign_known[at]
        magnitude = np.maximum(draw.magnitude, np.float32(self.bounds.lowest))
        magnitude = np.where(velocity_known, state.magnitude[at], magnitude)
        positive = np.where(sign_known, state.positive[at], draw.positive)
        amplitude = magnitude * (2 * positive - 1)
        unknown = ~(velocity_known | sign_known)
        offset, gain = (0.0, 1.0) if blend is None else blend.at(targets.place)
        if self.image is not None and draw.std is not None and unknown.all():
            self.image.put(at, amplitude, draw.std, gain, offset)
        if blend is not None:
            highest = targets.ceiling.numpy()
            blended = (offset + gain * amplitude).clip(-highest, highest)
            amplitude = np.where(unknown, blended, amplitude)
        state.magnitude[at], state.positive[at] = magnitude, positive > 0.5
        self.grid[at] = amplitude

    def _take_copied(self, window: Window, place: Places, blend: WienerBlend) -> Places:
        """Fill the places whose amplitude is that of a copy alone; returns the others.

        Most copies of notes need no network: what it draws there would have a gain of zero.
        """
        state, (channel, frame, bin_) = self.state, place
        at = (window.target_channels[channel], frame + window.start, bin_)
        offset, gain = blend.at(place)
        drawn = (gain > 0) | state.velocity_known[at] | state.sign_known[at]
        in_any_channel = np.zeros(blend.gain.shape[1:], bool)  # the image mixes all of a cell
        in_any_channel[frame[drawn], bin_[drawn]] = True
        drawn = in_any_channel[frame, bin_]
        copied = tuple(index[~drawn] for index in at)
        self.copied += len(copied[0])
        self.grid[copied] = amplitude = offset[~drawn]  # within the ceiling
        state.magnitude[copied] = np.maximum(np.abs(amplitude), np.float32(self.bounds.lowest))
        state.positive[copied] = amplitude > 0
        return channel[drawn], frame[drawn], bin_[drawn]

    def _draw(
        self, window: Window, place: Places, ceiling: np.ndarray
    ) -> Iterator[tuple[Targets, Draw]]:
        """Magnitudes and signs of the atoms of a window at n places, part by part.

        ceiling  (channels, F) largest magnitude that is allowed
        """
        state, space = self.state, self.model.config.space
        scale = torch.from_numpy(
            state.space.amplitude(np.arange(space.levels), state.reference(window))
        )
        strategy = strategy_for(state, window, scale, self.settings, self.generator)
        coarse = None
        if isinstance(strategy, Textured) and state.preset.continues_tilt:
            coarse = coarse_bins(place[2], self.model.config.neighbour_bins, space)
        decoded = place if coarse is None else coarse.select(place)
        wanted = None if coarse is None else decoded
        context = encode(self.model, state.model_input(window, space, wanted))
        predictions = self._decode(context, Targets.at(decoded, window, ceiling), scale)
        if isinstance(strategy, Textured) and coarse is not None:
            found = [strategy.moments(logits, sign) for _, logits, sign in predictions]
            moments = Moments.join(found).map(coarse.interpolate)
            targets = Targets.at(place, window, ceiling)
            yield targets, strategy.draw_from(moments, targets)
            return
        for targets, logits, sign in predictions:
            yield targets, strategy.draw(logits, sign, targets)

    def _decode(
        self, context: Encoded, targets: Targets, scale: Tensor
    ) -> Iterator[tuple[Targets, Tensor, Tensor]]:
        """Logits of the levels (n, levels) and signs (n,) of targets, part by part.

        scale  (levels,) amplitude of every level; those out of bounds are excluded
        """
        for part, decoded in decode(self.model, context, np.stack(targets.place, 1)):
            some = targets.part(part)
            logits, sign = decoded.velocity.float().cpu(), decoded.sign.float().cpu()
            self.bounds.clip_levels(logits, scale, some.ceiling)
            yield some, logits, sign
