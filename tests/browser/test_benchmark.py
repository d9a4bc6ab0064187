"""The benchmark of the page: what it waits for."""

import driver as d

from atomizer.benchmarks.page import PageEvents, upload


def test_it_waits_until_nothing_of_the_page_waits_or_runs(quick, sounds):
    events = PageEvents(quick)
    quick.evaluate(
        "document.addEventListener('change', () => { window.sent = performance.now(); }, true)"
    )
    held = []
    quick.route("**/queue/join*", lambda route: held.append(route), times=1)
    quick.set_input_files("#file input[type=file]", str(sounds["mono"]))
    quick.wait_for_timeout(200)
    while not held:
        quick.wait_for_timeout(50)
    assert events.requests, "the sound is not loaded yet"
    held[0].continue_()
    d.wait(quick, "state.base.name === 'mono.wav'")
    assert upload(quick, sounds["stereo"]) > 0
    events.wait_for_rest()
    assert d.state(quick, "state.findings.length") and not events.requests
