"""The sound as a file of atoms, in the panel of orderings."""

import driver as d
import pytest

from atomizer import codec, metrics
from atomizer.io.audio import read

pytest.importorskip("numba")


def text(page, name: str) -> str:
    return page.inner_text(f"{d.VIEW} [data-name={name}]")


def wait_text(page, name: str, part: str) -> None:
    page.wait_for_function(
        "([name, part]) =>"
        " document.querySelector(`[data-name=${name}]`).textContent.includes(part)",
        arg=[name, part],
    )


def test_the_slider_plays_prefixes_of_the_file(quick, sounds):
    page, sound = quick, read(sounds["stereo"])
    d.upload(page, sounds["stereo"])
    page.click(f"{d.VIEW} [data-act=order]")
    d.wait(page, "orders.open && player.buffers.first")
    page.select_option(f"{d.VIEW} [data-name=order-name]", "time")
    assert not page.is_visible(f"{d.VIEW} [data-name=order-file]")
    page.select_option(f"{d.VIEW} [data-name=order-name]", "audibility")
    page.click(f"{d.VIEW} [data-name=order-file] summary")
    d.wait(page, "orders.file.size !== null")
    data = codec.encode(sound, order="audibility", kbps=256)
    for position in (500, 900):
        page.fill(f"{d.VIEW} [data-name=order-place]", str(position))
        size, first = d.state(page, "[orders.file.size, orders.first]")
        assert codec.receive(data[:size]).atoms >= first > codec.receive(data[: size - 8]).atoms
    assert f"{8e-3 * size / 4:.1f} kbit/s" in text(page, "file-size")
    for choice, fill in (("sent", None), ("filled", "noise")):
        page.select_option(f"{d.VIEW} [data-name=file-sound]", choice)
        d.wait(page, f"orders.renderedKey.startsWith('{choice}') && !orders.rendering")
        heard = d.stereo_buffer(page, "first")
        assert metrics.snr_db(codec.decode(data[:size], fill=fill).samples, heard) > 40
        wait_text(page, "file-worth", "SNR")
    with page.expect_download() as download:
        page.click(f"{d.VIEW} [data-name=file-download]")
    assert download.value.suggested_filename == "stereo.atoms"
    with open(download.value.path(), "rb") as file:
        assert file.read() == data[:size]
    page.click(f"{d.VIEW} [data-name=file-compare]")
    wait_text(page, "file-compare", "Measuring")
    wait_text(page, "file-compare", "Compare")
    names = page.evaluate("document.querySelector('[data-name=file-plot]').data.map(t => t.name)")
    assert names[0].startswith("atoms by audibility") and len(names) > 1
