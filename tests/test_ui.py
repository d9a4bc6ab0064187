"""Packed atoms, pursuits on the page, and metrics and titles of variations."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atomizer.atoms.selection import parse
from atomizer.atoms.space import ScaleSpace
from atomizer.inpainting.fill import Step, fill, last
from atomizer.inpainting.origin import describe_origin
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.settings import Resolved, Settings
from atomizer.io.audio import Sound
from atomizer.priors.choices import USING
from atomizer.priors.recording.context import CopySource
from atomizer.ui import decomposition, documents, drawing
from atomizer.ui.component import STATIC, STYLES, help_text
from atomizer.ui.exports import EXPORTS
from atomizer.ui.judging import has_reference, judge, level_difference
from atomizer.ui.layout import example_sounds
from atomizer.ui.wording import details_of, summary_of, title_of


@pytest.fixture
def grid(small):
    rng = np.random.default_rng(0)
    return (
        rng.standard_normal((2, 20, small.hop)) * 10 ** rng.uniform(-6, 0, (2, 20, small.hop))
    ).astype(np.float32)


def unpacked(data: bytes, n: int):
    return (
        *(np.frombuffer(data, "<u2", n, 2 * n * k) for k in range(3)),
        np.frombuffer(data, "u1", n, 6 * n),
    )


def test_packed_atoms_are_sorted_and_precise(grid, small):
    cells = drawing.loudest_cells(grid, small)
    frame, bin_, velocity, flags = unpacked(drawing.pack(grid, cells, small), len(cells))
    assert (np.diff(velocity.astype(int)) >= 0).all()
    assert len(cells) == drawing.pack_scene(grid, small).audible < grid.size
    db = small.floor_db * (1 - velocity / drawing.TOP)
    amplitude = np.abs(grid).max() * 10 ** (db / 20) * np.where(flags & 1, 1, -1)
    exact = grid[(flags >> 1) & 7, frame, bin_]
    heard = np.abs(exact) > np.abs(grid).max() * 10 ** (small.floor_db / 20)
    assert np.abs(amplitude / exact - 1)[heard].max() < 1e-3
    assert len(drawing.loudest_cells(grid, small, limit=50)) == 50
    assert set(
        drawing.loudest_cells(grid, small, np.arange(grid.size).reshape(grid.shape) < 500)
    ) == set(cells[cells < 500])


@pytest.mark.parametrize("limit", [None, 60])
def test_mapped_atoms_are_sorted_like_the_drawn_cells(grid, small, limit):
    grid[0, 3] = grid[0, 3, 0]  # equal velocities keep the order of cells
    cells = drawing.loudest_cells(grid, small, limit=limit)
    scene = drawing.pack_scene(grid, small, limit)
    data, is_mapped = scene.data, scene.is_mapped
    assert scene.drawn == len(cells) and scene.loudest == np.abs(grid).max()
    n, size = len(cells), -(-grid.size // 8)
    if limit:  # few cells have atoms
        assert not is_mapped and data == drawing.pack(grid, cells, small)
        return
    assert is_mapped and len(data) == 2 * n + size + -(-n // 8) < 7 * n / 2
    velocity = np.frombuffer(data, "<u2", n)
    has_atom, is_positive = (
        np.unpackbits(np.frombuffer(data, "u1", count, at), bitorder="little")
        for at, count in ((2 * n, size), (2 * n + size, -(-n // 8)))
    )
    order = np.argsort(velocity, kind="stable")
    assert np.array_equal(np.flatnonzero(has_atom)[order], cells)
    assert np.array_equal(is_positive[:n][order] == 1, grid.ravel()[cells] >= 0)
    assert np.array_equal(velocity[order], unpacked(drawing.pack(grid, cells, small), n)[2])


def test_states_and_masks_are_packed_as_bits(grid, small):
    cells = drawing.loudest_cells(grid, small)[:9]
    states = np.arange(9) % 3
    assert (unpacked(drawing.pack(grid, cells, small, states), 9)[3] >> 4 == states).all()
    assert drawing.bits(np.array([1, 0, 1, 0, 0, 0, 0, 0, 1], bool)) == bytes([0b101, 1])


def test_radix_sort_matches_stable_argsort():
    values = np.abs(np.random.default_rng(0).standard_normal(5000).astype(np.float32))
    values[::7] = values[3]
    assert np.array_equal(drawing.ascending(values), np.argsort(values, kind="stable"))


def filled(sound: Sound, *select: str, features=("velocity", "sign"), method="noise"):
    recipe = Recipe(parse(select, features), Settings(method))
    task = recipe.task(sound)
    return task, last(fill(task, recipe.settings)), recipe


def test_metrics_compare_the_region_with_the_original(sound):
    task, step, recipe = filled(sound(1.0, 2), "rect:0.2,0.6,500,4000")
    noise = judge(task, step, task.render(step.grid), recipe)
    task, step, recipe = filled(sound(1.0, 2), "rect:0.2,0.6,500,4000", method="erased")
    erased = judge(task, step, task.render(step.grid), recipe)
    assert erased[0] == pytest.approx(0, abs=1e-6) and 0 < noise[1] < erased[1]
    perfect = judge(task, type(step)(1, 1, task.grid, task.mask), task.sound, recipe)
    assert perfect[0] > 100 and perfect[1] == pytest.approx(0, abs=1e-6)


def test_no_metrics_without_a_reference(sound):
    recipe = Recipe(extend=0.2, settings=Settings("noise"))
    task = recipe.task(sound(0.5))
    step = last(fill(task, recipe.settings))
    assert judge(task, step, task.render(step.grid), recipe) == (None, None)


def test_original_is_a_reference_unless_a_region_is_erased():
    assert has_reference(Recipe(parse(["quietest:90"])))
    assert has_reference(Recipe(parse(["above:0"], ("sign",))))
    assert not has_reference(Recipe(parse(["rect:1,2,300,3000"])))


def test_metrics_of_short_and_narrow_regions(sound):
    for select in ("time:0.2-0.21", "rect:0.2,0.3,1000,1020"):
        task, step, recipe = filled(sound(0.5), select)
        snr, _ = judge(task, step, task.render(step.grid), recipe)
        assert np.isfinite(snr)


def test_masked_signs_keep_the_levels(sound):
    task, *_ = filled(sound(0.5), "above:0", features=("sign",))
    masked = task.masked()
    assert np.array_equal(np.abs(masked), np.abs(task.grid)) and not np.array_equal(
        masked, task.grid
    )
    task, *_ = filled(sound(0.5), "above:3000")
    assert np.array_equal(task.masked(), task.erased())


def test_level_difference_of_a_fill(sound):
    task, *_ = filled(sound(0.5), "above:3000")
    assert level_difference(task, Step(1, 1, task.grid, task.mask)) == 0
    assert level_difference(task, Step(1, 1, task.grid / 2, task.mask)) == pytest.approx(
        -6.02, abs=0.01
    )
    assert level_difference(task, Step(1, 1, task.erased(), task.mask)) is None


def test_title_and_details_of_variations():
    settings = Resolved("model", "time", True, 4, 0.8, 0.95, "sampled", 3)
    recipe = Recipe(parse(["above:1"]))
    assert (
        title_of(recipe, settings) == "by time reversed, 4 steps, seed 3"
        and title_of(recipe, Resolved("noise", seed=1)) == "noise, seed 1"
    )
    # the ordering is always named, the atoms where they are not those of the MDCT
    assert title_of(recipe, Resolved(order="random", seed=2)) == "random, 1 step, seed 2"
    assert (
        title_of(replace(recipe, settings=Settings(order="velocity")), Resolved(order="velocity"))
        == "by velocity, 1 step, seed 0"
    )
    pursued = replace(recipe, atomizer="matching-pursuit-optimised", atoms=9)
    assert title_of(pursued, Resolved(steps=2)) == "random, 2 steps, on optimised pursuit, seed 0"
    assert title_of(pursued, Resolved("noise")) == "noise, on optimised pursuit, seed 0"
    assert title_of(Recipe(extend=2.5), settings).startswith("2.5 s longer, by time")
    assert title_of(Recipe(add_channels=1), settings).startswith("a second channel, by time")
    details = dict(details_of(recipe, settings))
    assert (
        details["unknown"] == "velocity, sign"
        and details["temperature"] == "0.8"
        and details["amplitudes"] == "sampled"
    )


@pytest.mark.parametrize(
    "sources, priors, says",
    [
        (2, ("recording",), "copied from 0.5 s and 1 other place"),
        (1, ("recording", "partials"), "copied from 0.5 s, tones cont"),
        (-1, ("recording",), "copied from 0.6 s (weak match)"),
        (0, ("partials",), "tones continued"),
        (0, ("autoregression",), "continued from the samples on both sides"),
        (0, (), "texture: nothing similar was found"),
    ],
)
def test_variation_names_what_filled_it(sound, sources, priors, says):
    task = Recipe(parse(["time:0.1-0.4"])).task(sound(1.0))
    copies = [
        CopySource((0.1, 0.4), (0.5, 0.8), 17640, 0.6),
        CopySource((0.1, 0.4), (0.6, 0.9), 22050, 0.3),
    ]
    chosen = copies[:sources] if sources >= 0 else copies[sources:]
    step = Step(1, 1, task.grid, task.mask, tuple(chosen), priors)
    assert ", ".join(describe_origin(step, task, Resolved())).startswith(says)
    longer = summary_of(Recipe(extend=2.5, stop_after=1), step, task, Resolved(), 44_100)
    assert longer.startswith(f"2.5 s longer: {says}") and longer.endswith(", stopped early")


def test_texture_alone_says_what_was_not_found(sound):
    task = Recipe(parse(["time:0.1-0.4"])).task(sound(1.0))
    step = Step(1, 1, task.grid, task.mask)
    made = {using: describe_origin(step, task, Resolved(using=using)) for using in USING}
    nothing = ("texture: nothing similar was found",)
    assert made["auto"] == made["recording"] == nothing and made["texture"] == ("texture",)
    assert made["partials"] == ("texture: no tones lead through",)


def test_highs_do_not_name_a_source(sound):
    task = Recipe(parse(["above:8000"])).task(sound(0.5))
    step = Step(1, 1, task.grid, task.mask)
    assert describe_origin(step, task, Resolved()) == ()
    assert summary_of(Recipe(), step, task, Resolved(), 44_100) == "Predicted by the model"
    added = summary_of(Recipe(), step, task, Resolved(), 48_000)
    assert added == "Highs above 22.05 kHz: predicted by the model"


def test_every_export_has_a_button():
    from atomizer.ui.component import text_of

    page = text_of("view.html")
    assert all(f'data-export="{kind}"' in page for kind in EXPORTS)


def test_help_names_every_feature_and_kind_of_atoms():
    from atomizer.ui.component import text_of

    page = text_of("how.html")
    assert (
        all(f">{feature.name}</text>" in page for feature in ScaleSpace().features)
        and "<b>Matching pursuit</b>" in page
        and "<b>scale</b>" in page
    )


def test_help_links_to_the_texts_and_names_the_licence():
    from atomizer.ui.component import text_of

    page = documents.linked(text_of("how.html"))
    assert all(f">{name}</a>" in page for name in documents.DOCUMENTS)
    licence = Path(__file__).parents[1].joinpath("LICENSE").read_text().split()[0]
    assert f"{licence}." in page


def test_speech_is_among_the_sounds_to_choose_from():
    assert "Speech" in dict(example_sounds())


def test_results_on_the_page_are_those_of_the_readme():
    from atomizer.ui.component import text_of

    readme = Path(__file__).parents[1].joinpath("README.md").read_text()
    rows = re.findall(r"<tr>\s*((?:<td>.*?</td>\s*)+)</tr>", text_of("how.html"), re.DOTALL)
    assert len(rows) >= 4
    for row in rows:
        cells = re.findall(r"<td>(.*?)</td>", row)
        (line,) = [line for line in readme.splitlines() if line.startswith(f"| {cells[0]}")]
        for cell in cells[2:]:
            assert cell.split(": ")[-1].removesuffix(" dB") in line, (cell, line)


# --- matching pursuit


@pytest.fixture
def found(sound):
    return [*decomposition.decompose(sound(0.2, 2), "matching-pursuit")][-1][0]


def test_packed_pursuit_atoms_have_scales(found):
    atoms, n = found.atoms[found.drawn], len(found.atoms)
    data = found.pack()
    assert (
        len(data) == 10 * n and (np.diff(np.abs(atoms.amplitude)) >= 0).all() and found.srr_db >= 20
    )
    np.testing.assert_array_equal(np.frombuffer(data, "<u4", n), atoms.time)
    np.testing.assert_array_equal(np.frombuffer(data, "<u2", n, 4 * n), atoms.frequency)
    db = atoms.space.floor_db * (1 - np.frombuffer(data, "<u2", n, 6 * n) / drawing.TOP)
    floor = atoms.reference * 10 ** (atoms.space.floor_db / 20)
    np.testing.assert_allclose(
        atoms.reference * 10 ** (db / 20), np.maximum(np.abs(atoms.amplitude), floor), rtol=1e-3
    )
    flags = np.frombuffer(data, "u1", n, 8 * n)
    np.testing.assert_array_equal(flags & 1, atoms.sign)
    np.testing.assert_array_equal(flags >> 1, atoms.channel)
    np.testing.assert_array_equal(np.frombuffer(data, "u1", n, 9 * n), atoms.scale)


def test_bits_of_pursuit_atoms_are_in_drawing_order(found):
    bits = np.unpackbits(
        np.frombuffer(found.bits(parse(["above:2000"]), 0, 22_050), "u1"), bitorder="little"
    )[: len(found.atoms)]
    np.testing.assert_array_equal(
        bits, found.atoms.space.hertz(found.atoms[found.drawn].frequency) >= 2000
    )


def test_unknown_pursuit_is_refused(sound, refused):
    for name in ("mdct", "matching-pursuit-gabor", "axe", None):
        with refused("no pursuit"):
            next(decomposition.decompose(sound(0.1), name))


def test_every_style_sheet_is_loaded():
    sheets = {path.stem for path in (STATIC / "css").iterdir()}
    assert sheets == set(STYLES) and len(STYLES) == len(sheets)


def test_texts_that_the_help_names_are_links(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/page")
    text = help_text()
    assert documents.DOCUMENTS and all(name in text for name in documents.DOCUMENTS)
    for name in documents.DOCUMENTS:
        assert f'href="https://huggingface.co/spaces/someone/page/blob/main/{name}"' in text
    for space in ("", 'x" onclick="/page'):  # without a Space, the server has the texts
        monkeypatch.setenv("SPACE_ID", space)
        assert re.findall('href="texts/([^"]+)"', help_text()) == list(documents.DOCUMENTS)
    monkeypatch.setattr(documents.resources, "document", lambda name: None)
    assert "href" not in help_text()
