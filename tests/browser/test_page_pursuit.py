"""Matching pursuit on the page: its atoms, orderings, erasing, and filling in on top of them."""

import csv
import io
import json
from pathlib import Path

import driver as d
import numpy as np
import pytest
import soundfile

from atomizer.analysis import MatchingPursuitAtomizer
from atomizer.atoms.atoms import Atoms
from atomizer.atoms.orderings import order
from atomizer.atoms.selection import Selection
from atomizer.inpainting.recipe import parse_recipes
from atomizer.io.audio import read

ATOMIZER = MatchingPursuitAtomizer()


def choose(page, name: str = "matching-pursuit") -> str:
    page.select_option(f"{d.VIEW} [data-name=atomizer]", name)
    d.wait(
        page,
        f"state.base.atomizer === '{name}' && !state.busy && state.scene === state.base",
        "picture.scene === state.base",
    )
    return d.status(page)


@pytest.fixture(scope="session")
def notes(tmp_path_factory):
    """Three seconds of stereo that need few atoms: decaying tones that start with a click."""
    t = np.arange(3 * 44_100) / 44_100
    since = t % 0.5
    channels = [
        sum(
            np.sin(2 * np.pi * f * (1 + c / 40) * t + f) * np.exp(-6 * since)
            for f in (220, 443, 901, 2503)
        )
        / 12
        + 0.3 * (since < 1.5 / 44_100)
        for c in (0, 1)
    ]
    path = tmp_path_factory.mktemp("notes") / "notes.wav"
    soundfile.write(path, np.stack(channels, 1), 44_100, subtype="PCM_24")
    return path


@pytest.fixture
def page(quick, notes):
    d.upload(quick, notes)
    choose(quick)
    return quick


@pytest.fixture
def atoms(page) -> Atoms:
    """The atoms that the page has, as it hands them over."""
    return Atoms.load(d.export(page, "npz").path())


def test_pursuit_atoms_are_drawn_with_their_extent(quick, notes):
    d.upload(quick, notes)
    status, page, sound = choose(quick), quick, read(notes)
    atoms = Atoms.load(d.export(page, "npz").path())
    mine = ATOMIZER.analyse(sound.at(44_100), loudest=len(atoms))
    for name in ("time", "frequency", "channel", "scale", "sign"):
        np.testing.assert_array_equal(getattr(atoms, name), getattr(mine, name))
    assert f"{len(atoms):,} atoms, 20." in page.inner_text(f"{d.VIEW} [data-name=facts]")
    assert f"{len(atoms):,} atoms reproduce the sound" in status and "20.0 dB" in status
    assert d.state(page, "[...new Set(state.original.scale)].sort().length") > 1
    # a long atom alone on the picture covers half its window
    width = d.state(
        page,
        """(() => {
        const {atoms} = picture, i = atoms.scale.indexOf(2);
        atoms.colourRow.fill(255); atoms.colourRow[i] = 0; picture.draw();
        const paper = picture.palette.paper(picture.dark), {width, height} = picture.canvas;
        const columns = new Set();
        for (let p = 0; p < width * height; p++)
          if (picture.pixels[p] !== paper) columns.add(p % width);
        return columns.size / width * (picture.t[1] - picture.t[0]); })()""",
    )
    assert width == pytest.approx(4096 / 44_100, abs=0.01)
    page.select_option(f"{d.VIEW} [data-name=colour]", "scale")
    assert "8,192 samples" in page.inner_text(f"{d.VIEW} [data-name=legend]")
    kinds = d.state(
        page,
        "[...new Set(picture.atoms.colourRow)].map(k => api.colourNames[k])",
    )
    assert set(kinds) <= {"channel 0", "channel 1", "channel 2"} and len(kinds) > 1


def test_dragging_along_an_ordering_shows_and_plays_its_first_atoms(page, atoms):
    page.focus(d.VIEW)
    page.keyboard.press("o")
    d.wait(page, "orders.open && player.buffers.first && state.version === 'first'")
    for name, reverse in (("velocity", False), ("frequency", True), ("time", False)):
        page.select_option(f"{d.VIEW} [data-name=order-name]", name)
        page.set_checked(f"{d.VIEW} [data-name=order-reverse]", reverse)
        for place in (900, 500, 640):
            page.fill(f"{d.VIEW} [data-name=order-place]", str(place))
        d.wait(
            page,
            "orders.position === 640 && !orders.rendering",
            "orders.renderedKey.endsWith(',' + orders.first)",
        )
        n = d.state(page, "orders.first")
        assert (
            0 < n < len(atoms)
            and d.state(page, "[...picture.atoms.colourRow].filter(k => k !== 255).length") == n
        ), name
        assert "SNR about" in page.inner_text(f"{d.VIEW} [data-name=order-worth]")
        wanted = ATOMIZER.synthesise(atoms[order(atoms, name, reverse)[:n]], 2)
        mine = d.stereo_buffer(page, "first")
        assert mine.shape == wanted.shape
        # atoms that share a place, or a velocity to a thousandth of a dB, may change places
        assert np.linalg.norm(mine - wanted) < 0.02 * np.linalg.norm(wanted), name


def test_what_is_erased_is_not_heard_and_is_back_when_it_is_not(page, atoms):
    assert not d.state(page, "!!player.buffers.masked")
    d.draw_box(page, 0.6, 2.4, 300, 6000)
    d.wait(page, "player.buffers.masked")
    selection = Selection.from_dict({"regions": d.state(page, "value.regions")})
    erased = selection.mask_atoms(atoms)
    assert d.state(page, "state.readout.count") == erased.sum() > 0
    d.wait_status(page, "Masked plays the sound without")
    page.click(f"{d.VIEW} [data-version=masked]")
    page.click(f"{d.VIEW} [data-act=play]")
    d.wait(page, "player.playing && player.version === 'masked' && player.level() > 0.001")
    wanted = ATOMIZER.synthesise(atoms[~erased], 2)
    assert np.linalg.norm(d.stereo_buffer(page, "masked") - wanted) < 2e-3 * np.linalg.norm(wanted)
    before = np.sum(d.stereo_buffer(page, "masked") ** 2)
    d.add_preset(page, "below", 300)
    d.wait(
        page,
        f"player.buffers.masked && !isRenderingPreview && state.readout.count > {erased.sum()}",
    )
    page.wait_for_timeout(300)
    d.wait(page, "!isRenderingPreview")
    assert np.sum(d.stereo_buffer(page, "masked") ** 2) < 0.9 * before
    page.click(f"{d.VIEW} [data-act=clear]")
    d.wait(page, "!player.buffers.masked && state.version === 'original'")


def test_lassos_and_brushes_take_the_atoms_that_python_takes(page, atoms):
    d.draw_lasso(page, [(0.5, 400), (1.5, 300), (1.2, 5000)])
    d.paint(page, [(2, 250), (3, 900), (3.5, 900)])
    page.evaluate("() => new Promise(requestAnimationFrame)")
    selection = Selection.from_dict({"regions": d.state(page, "value.regions")})
    assert d.state(page, "state.readout.count") == selection.mask_atoms(atoms).sum()
    d.tool(page, "box")
    d.add_preset(page, "loudest", 5)
    d.wait_status(page, "Parts by rank can be erased")
    part = Selection.from_dict({"regions": d.state(page, "value.regions"), "parts": ["loudest:5"]})
    d.wait(page, f"state.readout.count === {part.mask_atoms(atoms).sum()}")


def test_a_region_is_filled_in_on_top_of_what_remains(page, atoms, notes):
    d.draw_box(page, 1, 2, 300, 4000)
    selection = Selection.from_dict({"regions": d.state(page, "value.regions")})
    status = d.fill(page)
    kept = int((~selection.mask_atoms(atoms)).sum())
    assert f"with MDCT atoms on top of {kept:,} of {len(atoms):,} matching-pursuit atoms" in status
    assert f"the sound of {kept:,} of {len(atoms):,}" in page.text_content(
        f"{d.VIEW} [data-name=variation-details]"
    )
    assert d.state(
        page, "state.scene.id === state.variation.scene.id && !state.scene.scales.length"
    )
    rest = ATOMIZER.synthesise(atoms[~selection.mask_atoms(atoms)], 2)
    masked, rate = d.sound_of(page, "masked")
    filled, _ = d.sound_of(page, "filled")
    assert rate == 44_100 and np.abs(masked.T - rest).max() < 1e-4
    away = slice(0, int(0.9 * rate))
    np.testing.assert_allclose(filled[away], masked[away], atol=1e-4)
    assert np.abs(filled - masked)[int(1.2 * rate) : int(1.8 * rate)].max() > 1e-3
    # the original is drawn as pursuit atoms, the fill as MDCT atoms; the menu and the title say so
    menu, facts = (f"{d.VIEW} [data-name={name}]" for name in ("atomizer", "facts"))

    def drawn():
        return (
            page.locator(f"{menu} option:checked").text_content(),
            "(MDCT view of the fill)" in page.inner_text(facts),
        )

    assert drawn() == ("MDCT of the fill", True)
    page.click(f"{d.VIEW} [data-version=original]")
    d.wait(page, "state.scene === state.base && state.scene.scales.length === 3")
    assert drawn() == ("matching pursuit", False)
    page.click(f"{d.VIEW} [data-version=filled]")
    d.wait(page, "state.scene.id === state.variation.scene.id && state.shown")
    assert drawn() == ("MDCT of the fill", True)
    found = d.state(page, "state.base.id")
    page.select_option(menu, "matching-pursuit")  # they are there: the pursuit does not run again
    d.wait(page, "state.scene === state.base && state.version === 'original'")
    assert drawn() == ("matching pursuit", False) and d.state(page, "state.base.id") == found
    page.click(f"{d.VIEW} [data-version=filled]")
    d.wait(page, "state.scene.id === state.variation.scene.id && state.shown")
    # and it can be done again
    (recipe,) = parse_recipes(Path(d.export(page, "settings").path()).read_text())
    assert (recipe.atomizer, recipe.atoms) == ("matching-pursuit", len(atoms))
    again = recipe.apply(read(notes))
    assert np.abs(again.samples.T - filled).max() < 1e-4


def test_a_new_selection_after_a_fill_selects_pursuit_atoms(page, atoms):
    d.draw_box(page, 1, 2, 300, 4000)
    d.fill(page)
    d.add_preset(page, "below", 200)
    d.wait(
        page,
        "state.variation === null && state.version === 'original'",
        "state.scene === state.base && player.buffers.masked",
    )
    selection = Selection.from_dict({"regions": d.state(page, "value.regions")})
    assert (
        d.state(page, "state.readout.count") == selection.mask_atoms(atoms).sum()
        and d.state(page, "state.variations.length") == 1
    )
    wanted = ATOMIZER.synthesise(atoms[~selection.mask_atoms(atoms)], 2)
    assert np.linalg.norm(d.stereo_buffer(page, "masked") - wanted) < 2e-3 * np.linalg.norm(wanted)


def test_other_atoms_keep_the_selection_and_the_variations(page):
    d.draw_box(page, 1, 2, 300, 4000)
    d.fill(page)
    choose(page, "mdct")
    assert d.state(page, "items.length") == 1 and d.state(page, "state.variations.length") == 1
    assert d.state(
        page, "state.variation === null && state.scene === state.base && !state.scene.scales.length"
    )
    assert d.state(page, "state.readout.count") > 1000
    page.click(f"{d.VIEW} [data-variation]")
    d.wait(
        page,
        "state.variation && state.version === 'filled' && player.buffers.filled && state.shown",
    )
    choose(page, "matching-pursuit-optimised")
    assert d.state(page, "state.scene.hop") == 1 and d.state(page, "state.readout.count") > 10
    rows = list(csv.reader(io.StringIO(Path(d.export(page, "csv").path()).read_text())))
    assert (
        rows[0][:6] == ["time", "frequency", "channel", "velocity", "sign", "scale"]
        and len(rows) > 100
    )
    assert Path(d.export(page, "png").path()).read_bytes().startswith(b"\x89PNG")


def test_a_pursuit_can_be_stopped_and_another_sound_has_mdct_atoms(quick, many, sounds):
    d.upload(quick, many)
    quick.select_option(f"{d.VIEW} [data-name=atomizer]", "matching-pursuit-optimised")
    d.wait(
        quick,
        "state.busy && state.base.atomizer === 'matching-pursuit-optimised'",
        "state.original.count > 100",
    )
    quick.click("#stop")
    status = d.wait_status(quick, "Stopped:")
    d.wait(quick, "!state.busy")
    stopped = d.state(quick, "state.original.count")
    assert f"{stopped:,} atoms reproduce the sound" in status and stopped < 200_000
    quick.wait_for_timeout(1500)
    assert d.state(quick, "state.original.count") == stopped
    d.draw_box(quick, 1, 5, 300, 9000)
    d.wait(quick, "player.buffers.masked")
    d.upload(quick, sounds["mono"])
    assert quick.input_value(f"{d.VIEW} [data-name=atomizer]") == "mdct" and not d.state(
        quick, "!!player.buffers.masked"
    )
    assert json.loads(json.dumps(d.state(quick, "state.scene.scales"))) == []
