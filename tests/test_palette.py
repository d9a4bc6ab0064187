"""Colours that are distinguishable with every colour vision."""

import numpy as np
import pytest

from atomizer.plotting import palette

# dichromacy in linear sRGB (Viénot, Brettel & Mollon 1999): the missing axis is projected away
PROTAN = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
DEUTAN = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])


def linear(srgb):
    x = np.asarray(srgb, float) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    lms = np.cbrt(
        np.maximum(
            rgb
            @ np.array(
                [
                    [0.4122214708, 0.5363325363, 0.0514459929],
                    [0.2119034982, 0.6806995451, 0.1073969566],
                    [0.0883024619, 0.2817188376, 0.6299787005],
                ]
            ).T,
            0,
        )
    )
    return (
        lms
        @ np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        ).T
    )


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize("row", palette.ROWS)
def test_ramps_are_equal_steps_of_lightness(row, theme):
    lightness = oklab(linear(palette.ramp(row, theme)))[:, 0]
    steps = np.diff(lightness)
    assert (np.sign(steps) == np.sign(steps[0])).all() and np.ptp(steps) < 0.2 * abs(
        steps.mean()
    ) + 0.005


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize(
    "pair",
    [
        ("negative", "positive"),
        ("mixed", "filled mixed"),
        ("filled negative", "filled positive"),
        ("kept", "filled"),
        ("channel 0", "channel 1"),
        ("rank 0", "rank 15"),
    ],
)
@pytest.mark.parametrize("eyes", [np.eye(3), PROTAN, DEUTAN], ids=["all", "protan", "deutan"])
def test_compared_rows_differ_with_every_vision(pair, theme, eyes):
    a, b = (oklab(np.clip(linear(palette.ramp(row, theme)) @ eyes.T, 0, 1)) for row in pair)
    middle = slice(palette.STOPS // 3, 2 * palette.STOPS // 3)
    assert np.linalg.norm(a - b, axis=1)[middle].min() > 0.08


@pytest.mark.parametrize("theme", palette.THEMES)
def test_small_atoms_are_grey_with_a_faint_tint(theme):
    pixels = np.array([0.5, 3, 6, 9, 40])
    assert list(palette.tint_of(pixels)) == [0, 0, 2, 4, 4]
    rows = [palette.ROWS.index(row) for row in ("negative", "positive", "mixed")]
    chroma = [
        np.linalg.norm(oklab(linear(palette.table(theme, tint)[rows, 128]))[:, 1:], axis=1)
        for tint in (0, palette.TINTS - 1)
    ]
    assert (chroma[0][:2] < 0.3 * chroma[1][:2]).all() and chroma[0][2] < 0.03


def contrast(colour, background):
    weights = [0.2126, 0.7152, 0.0722]
    low, high = sorted(float(linear(c) @ weights) for c in (colour, background))
    return (high + 0.05) / (low + 0.05)


def test_unknown_atoms_stand_out_from_the_background():
    row = palette.ROWS.index("unknown")
    for theme, velocity in (("dark", 128), ("dark", 255), ("light", 255)):
        colour = palette.table(theme)[row, velocity]
        assert contrast(colour, palette.THEMES[theme]["paper"]) >= 3, (theme, velocity)


def test_lightness_does_not_depend_on_the_row():
    a, b = (oklab(linear(palette.ramp(row, "light")))[:, 0] for row in ("negative", "positive"))
    assert np.abs(a - b).max() < 0.03


def test_table_runs_from_quiet_to_loud():
    for theme in palette.THEMES:
        table = palette.table(theme)
        assert table.shape == (len(palette.ROWS), 256, 3)
        for index, row in enumerate(palette.ROWS):
            assert (
                tuple(table[index, 0]) == palette.ramp(row, theme)[0]
                and tuple(table[index, 255]) == palette.ramp(row, theme)[-1]
            )
    assert palette.to_dict()["kinds"] == list(palette.ROWS)
