"""After the server was killed during a fill, the page has its sound and its selection again."""

import time

from conftest import WAIT
from driver import add_preset, draw_box, state, upload, wait
from serving import SLOW_PAGE, free_port, start


def test_sound_and_selection_survive_a_killed_server(browser, sounds, tmp_path):
    port = free_port()
    process = start(SLOW_PAGE, tmp_path, port)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.goto(f"http://127.0.0.1:{port}/", wait_until="domcontentloaded")
        page.wait_for_selector(".atom-view[data-scene]")
        upload(page, sounds["mono"])
        draw_box(page, 0.5, 1.2, 500, 3000)
        add_preset(page, "random", 30)
        before = state(page, "JSON.stringify(items)"), state(page, "state.scene.total")
        page.click("#fill")
        wait(page, "state.live && state.live.done >= 1")
        process.kill()
        process.join()
        page.wait_for_timeout(500)
        process = start(SLOW_PAGE, tmp_path, port)
        page.wait_for_event("load")  # Gradio reloads the page when the server answers again
        page.wait_for_selector(".atom-view[data-scene]")
        wait(
            page,
            f"state.scene && state.scene.name === '{sounds['mono'].name}' && items.length === 2",
        )
        assert (state(page, "JSON.stringify(items)"), state(page, "state.scene.total")) == before
        wait(page, "!state.busy && player.buffers.original")
        page.click("#fill")
        wait(page, "state.live && state.live.done >= 1")  # and it fills in again
    finally:
        context.close()
        process.kill()
        process.join()


def test_an_expired_session_gets_its_sound_back_when_used(browser, sounds, tmp_path):
    from proxy import proxied

    port, between = free_port(), free_port()
    process = start(
        SLOW_PAGE, tmp_path, port, GRADIO_ROOT_PATH="/some/where", ATOMIZER_GRACE_SECONDS="0.5"
    )

    def connect():
        return proxied(f"http://127.0.0.1:{port}", "/some/where", between)

    def folders():
        return list((tmp_path / "gradio").glob("atomizer-*"))

    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT)
        with connect() as address:
            page.goto(address + "/", wait_until="domcontentloaded")
            page.wait_for_selector(".atom-view[data-scene]")
            upload(page, sounds["mono"])
            draw_box(page, 0.5, 1.2, 500, 3000)
            wait(page, "player.buffers.masked")
        assert folders()  # and now a lid is closed, or a tunnel begins
        until = time.monotonic() + WAIT / 1000
        while folders():
            assert time.monotonic() < until, "the server still waits for the page"
            page.wait_for_timeout(100)
        with connect():
            with page.expect_event("load"):
                draw_box(page, 1.5, 2, 500, 3000)
            page.wait_for_selector(".atom-view[data-scene]")
            wait(
                page,
                f"state.scene && state.scene.name === '{sounds['mono'].name}'",
                "items.length === 2 && !state.busy && player.buffers.original",
            )
            page.click("#fill")
            wait(page, "state.live && state.live.done >= 1")
    finally:
        context.close()
        process.kill()
        process.join()
