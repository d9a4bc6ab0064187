"""Presets: the default settings of a fill, one preset per shape of selection.

The values were found by evaluation of the shipped model (dev/LOG.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..atoms.selection import Selection


@dataclass(frozen=True)
class FillPreset:
    """Defaults for one shape of selection.

    Attributes
    ----------
    order, steps, temperature, nucleus, amplitudes
        Of `settings.Settings`, where these are None.
    envelope_weight : float or None
        Least weight of the interpolated spectral envelope in the predicted level, which rises with
        the steadiness of the surroundings and to 1 far from them; None for the network alone.
    envelope_gain_db : float
        Largest gain that offsets the bias of averaging uncertain dB levels.
    silence_threshold : float
        Atoms that are inaudible with more than this probability stay silent: made audible, they
        would be a hiss in pauses.
    extend_partials : bool
        Whether the Wiener estimate is added to the texture: partials continue through holes in
        time and beyond the end.
    use_band_context : bool
        Whether the bands above and below, and the bins before and after, give the level (boxes).
    continues_tilt : bool
        Whether the tilt below a cutoff, continued above it, has a weight in the predicted level.
    quieter_than_known, louder_than_known : bool
        Whether all selected atoms are quieter, or louder, than all other audible atoms.
    """

    order: str = "random"
    steps: int = 1
    temperature: float = 1.0
    nucleus: float = 0.95
    amplitudes: str = "texture"
    envelope_weight: float | None = None
    envelope_gain_db: float = 0.0
    silence_threshold: float = 1.0
    extend_partials: bool = False
    use_band_context: bool = False
    continues_tilt: bool = False
    quieter_than_known: bool = False
    louder_than_known: bool = False

    @property
    def has_surroundings(self) -> bool:
        """Whether the same bins and channels are known before or after the selection."""
        return self.extend_partials or self.use_band_context

    @property
    def settings(self) -> dict[str, Any]:
        """The fields that `settings.Settings` has too."""
        names = ("order", "steps", "temperature", "nucleus", "amplitudes")
        return {name: getattr(self, name) for name in names}


PRESETS = {
    # highs or lows
    "bandwidth": FillPreset(
        order="frequency",
        temperature=0.85,
        envelope_weight=0.0,
        silence_threshold=0.65,
        continues_tilt=True,
    ),
    # whole channels
    "upmix": FillPreset(
        order="channel", temperature=0.6, envelope_weight=0.0, envelope_gain_db=1.0
    ),
    # everything after a moment
    "continue": FillPreset(order="time", envelope_weight=0.5, extend_partials=True),
    # a hole in time
    "gap": FillPreset(
        order="time", envelope_weight=0.5, envelope_gain_db=2.0, extend_partials=True
    ),
    # any other region
    "region": FillPreset(
        order="time", envelope_weight=0.75, envelope_gain_db=1.0, use_band_context=True
    ),
    # all but the loudest atoms
    "compress": FillPreset(
        order="velocity", temperature=0.8, silence_threshold=0.65, quieter_than_known=True
    ),
    # the loudest atoms
    "loudest": FillPreset(
        order="velocity", envelope_weight=0.0, envelope_gain_db=3.0, louder_than_known=True
    ),
    # random parts
    "restore": FillPreset(amplitudes="expected"),
}


def preset_for(selection: Selection, mask: np.ndarray, recorded: np.ndarray) -> str:
    """Choose the preset by the shape of a selection; returns a name in `PRESETS`.

    mask      (channels, frames, bins) bool, the selected atoms
    recorded  (bins,) bool, the bins below the Nyquist frequency of the sound's own rate
    """
    if selection.parts and not selection.regions:
        kinds = {part.kind for part in selection.parts}
        if kinds <= {"quietest", "keep"}:
            return "compress"
        return "loudest" if kinds == {"loudest"} else "restore"
    if lost_channels(mask, recorded).any() or (len(mask) > 1 and _selects_channels(selection)):
        return "upmix"
    frames, bins = np.any(mask, axis=(0, 2)), np.any(mask, axis=(0, 1))
    if frames.all() and bins[-1] and not bins[0]:
        return "bandwidth"
    all_spans = not any(r.bounds_frequency for r in selection.regions)
    if bins[recorded].all() and all_spans:
        if not frames[0] and frames[np.argmax(frames) :].all():
            return "continue"
        return "gap"
    return "region"


def lost_channels(mask: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """(C,) bool: channels of which everything recorded is selected, arguments of `preset_for`."""
    lost: np.ndarray = np.all(mask[..., : recorded.sum()], axis=(1, 2))
    return lost


def _selects_channels(selection: Selection) -> bool:
    return all(
        r.channels is not None and not (r.bounds_time or r.bounds_frequency)
        for r in selection.regions
    )
