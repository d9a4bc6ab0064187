"""Level tracks: levels of the bands above a cutoff, frame by frame, from those of the bands below.

The Transformer hears single atoms for 1.5 s. How loud highs are, and how they follow attacks and
phrases, is a matter of whole bands and of the whole recording. A small convolutional network hears
the levels of all ERB bands below a cutoff, with their means and deviations over all frames, and
predicts those of the bands above (`tools/fit_level_tracks.py` trains it). The levels of a fill are
averaged with them, each weighted by its precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...atoms.space import AtomSpace
from ...io import resources
from ..band_levels import (
    ACTIVE_DB,
    BANDS,
    FLOOR_DB,
    MIN_FRAMES,
    RATE,
    band_edges,
    band_powers,
    known_bands,
)

FILE = "level_tracks.npz"  # beside the shipped checkpoint
FIRST_BAND = 14  # first band (above 1.2 kHz) that may be unknown
WIDTH, DILATIONS = 96, (1, 2, 4, 8, 16)  # of the network
LEVEL_SCALE = 20.0  # dB that are 1 for the network
# Mean absolute error in dB of a band's mean level in a fill without this network: 12 clips of
# sources that nothing was trained on, above 8 kHz
FILL_ERROR_DB = 4.9
MAX_GAIN_DB = 20.0  # largest correction


class Block(nn.Module):
    """A dilated convolution over frames, with the mean and deviation over all frames as context."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.near = nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation)
        self.whole = nn.Linear(2 * width, width)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """Add to (N, width, T); there (N, 1, T) is 1 for the frames of a recording, 0 beyond."""
        h = self.norm(x)
        count = there.sum(2).clamp(min=1)
        mean = (h * there).sum(2) / count
        variance = ((h - mean[..., None]).square() * there).sum(2) / count
        context = self.whole(torch.cat([mean, (variance + 1e-5).sqrt()], 1))
        return x + self.mix(F.gelu(self.near(h * there) + context[..., None]))


class TrackNet(nn.Module):
    """Levels of known bands -> mean and log of the standard deviation of the levels of all bands.

    The names of the submodules are the keys of `FILE`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inward = nn.Conv1d(2 * BANDS, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(Block(WIDTH, dilation) for dilation in DILATIONS)
        self.norm = nn.GroupNorm(1, WIDTH)
        self.outward = nn.Conv1d(WIDTH, 2 * BANDS, 1)
        for weight in self.outward.parameters():
            nn.init.zeros_(weight)

    def forward(self, level: Tensor, known: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """Predict levels, in units of `LEVEL_SCALE`.

        Parameters
        ----------
        level : (N, BANDS, T)
            Levels relative to the mean of the known ones; read where known.
        known : (N, BANDS)
            1 for known bands, else 0.
        there : (N, 1, T)
            1 for the frames of the recording, 0 for those that only fill up a batch.

        Returns
        -------
        mean, log of the standard deviation : (N, BANDS, T)
        """
        flag = known[..., None].expand_as(level)
        x = self.inward(torch.cat([level * flag, flag], 1) * there)
        for block in self.blocks:
            x = block(x, there)
        mean, log_std = self.outward(self.norm(x)).chunk(2, 1)
        return mean, log_std


@dataclass(frozen=True)
class RelativeLevels:
    """Levels (T, bands) in dB relative to `reference`, and the frames that are no pauses.

    floor  dB, absolute: quieter levels count as this one
    """

    level_db: np.ndarray
    reference: float
    active: np.ndarray
    floor: float

    @classmethod
    def of(cls, level_db: np.ndarray, known: int) -> RelativeLevels:
        """Levels (T, BANDS) in dB, relative to the mean level of the sum of the known bands."""
        loudest = level_db[:, :known].max()
        heard = np.maximum(level_db, loudest + FLOOR_DB)
        total = 10 * np.log10((10 ** (heard[:, :known] / 10)).sum(1))
        active = total > total.max() + ACTIVE_DB
        reference = float(total[active].mean())
        return cls(heard - reference, reference, active, float(loudest + FLOOR_DB))


@dataclass(frozen=True)
class TrackModel:
    """A trained network.

    error_db  (BANDS,) mean absolute error of the mean level of the bands above, by the number of
              known bands; of sources that it was not trained on
    """

    net: TrackNet
    error_db: np.ndarray

    @torch.no_grad()
    def predict(self, levels: RelativeLevels, known: int) -> np.ndarray:
        """(T, BANDS - known) levels in dB, relative as `levels`, from the first `known` bands."""
        given = torch.zeros(1, BANDS, len(levels.level_db))
        given[0, :known] = torch.from_numpy((levels.level_db[:, :known] / LEVEL_SCALE).T)
        flags = torch.zeros(1, BANDS)
        flags[0, :known] = 1
        mean, _ = self.net(given, flags, torch.ones(1, 1, given.shape[2]))
        return mean[0, known:].numpy().T.astype(np.float64) * LEVEL_SCALE


@lru_cache(maxsize=1)
def shipped() -> TrackModel | None:
    """The network beside the shipped checkpoint; None where there is none."""
    arrays = resources.checkpoint_arrays(FILE)
    if arrays is None:
        return None
    error = arrays.pop("error_db").astype(np.float32)
    net = TrackNet()
    net.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()})
    return TrackModel(net.eval(), error)


def track_gains(
    grid: np.ndarray,
    cutoff: int,
    trust: np.ndarray,
    space: AtomSpace,
    keep_mean: bool = False,
) -> np.ndarray:
    """Gains that bring the bands above a cutoff, frame by frame, towards the levels predicted.

    Parameters
    ----------
    grid : (C, T, F)
        A filled grid, known below bin `cutoff`.
    cutoff : int
        First filled bin.
    trust : (F,)
        Precision of the fill's levels beyond that of `FILL_ERROR_DB`, 0 to 1: nothing is changed
        where it is 1.
    space : AtomSpace
        Of the grid.
    keep_mean : bool
        Whether every band keeps its mean level.

    Returns
    -------
    (T, F) float32
        The same for all channels: 1 below the cutoff, and everywhere where nothing is predicted.
    """
    out = np.ones(grid.shape[1:], np.float32)
    model, known, edges = shipped(), known_bands(cutoff, space), band_edges(space)
    if model is None or space.rate != RATE or not FIRST_BAND <= known < BANDS:
        return out
    filled = edges.copy()
    filled[known] = cutoff  # the band of the cutoff counts from there on
    power = band_powers(grid, filled)
    loudest = float(power[:, :known].max())
    if not loudest:
        return out
    level = 10 * np.log10(np.maximum(power, loudest * 1e-12))
    levels = RelativeLevels.of(level, known)
    if levels.active.sum() < MIN_FRAMES:
        return out
    change = model.predict(levels, known) - levels.level_db[:, known:]
    if keep_mean:
        change -= change[levels.active].mean(0)
    centre = (filled[known:-1] + filled[known + 1 :]) / 2
    above = np.arange(cutoff, grid.shape[2])
    own, other = FILL_ERROR_DB**2 * (1 - trust[above]), model.error_db[known] ** 2
    weight = own / (own + other)
    for frame, row in enumerate(change.clip(-MAX_GAIN_DB, MAX_GAIN_DB)):
        out[frame, above] = 10 ** (weight * np.interp(above, centre, row) / 20)
    return out
