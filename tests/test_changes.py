"""Which samples a fill has changed."""

from dataclasses import replace

import numpy as np
import pytest

from atomizer.atoms.selection import parse
from atomizer.inpainting.changes import BLOCK, Changes, changes
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.settings import Settings
from atomizer.io.audio import Sound


def test_single_changed_samples_are_found():
    before = Sound(np.zeros((2, BLOCK + 1000), np.float32), 1000)
    after = replace(before, samples=before.samples.copy())
    after.samples[0, [BLOCK - 1, BLOCK + 300]] = 1e-30
    after.samples[1, BLOCK + 2] = -0.0  # another sign of zero is another bit
    found = changes(before, after)
    assert found == Changes(3, (BLOCK - 1) / 1000, (BLOCK + 301) / 1000)
    assert str(changes(before, before)) == "all samples of the input are bit-identical"


@pytest.mark.parametrize(
    "select, span", [("time:0.4-0.6", (0.4, 0.6)), ("rect:0.4,0.6,1e3,3e3", 0)]
)
def test_fill_changes_its_hole_alone(sound, select, span):
    before = sound(1.0, 2)
    after = Recipe(parse([select]), Settings("noise")).apply(before)
    found = changes(before, after)
    if span:
        assert (found.start, found.stop) == pytest.approx(span, abs=1 / before.rate)
    else:  # a box ends with the windows of its atoms
        assert 0.35 < found.start < 0.4 and 0.6 < found.stop < 0.65
    assert found.samples > 0.9 * 2 * before.rate * (found.stop - found.start)


def test_added_channels_and_seconds_are_named(sound):
    before = sound(0.5)
    after = Recipe(settings=Settings("noise"), extend=0.25, add_channels=1).apply(before)
    said = str(changes(before, after))
    assert said.startswith("0.25 s were added, 1 channel was added, ")
    assert str(changes(before, replace(after, rate=48_000))).startswith("the sample rate")


def test_mono_sum_of_an_added_channel_is_compared(sound):
    mono = sound(0.5)
    mono = mono.with_samples(np.round(mono.samples[:1] * 2**15) / np.float32(2**15), mono.rate)
    stereo = Recipe(settings=Settings("noise"), add_channels=1).apply(mono)
    found = changes(mono, stereo)
    assert found.samples and str(found) == (
        "1 channel was added, the mono sum of all samples is bit-identical"
    )
    finer = mono.with_samples(mono.samples / 3, mono.rate)
    stereo = Recipe(settings=Settings("noise"), add_channels=1).apply(finer)
    said = str(changes(finer, stereo))
    assert said.startswith("1 channel was added, the mono sum has changed by rounding (-1"), said
    stereo.samples[0, 7] += 0.25
    assert "in 0.00" in str(changes(finer, stereo))
