"""Whose turn it is: two visitors as tests/load has them, without a browser."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from serving import SLOW_PAGE, run_app

from tests.load.run import Page, Result, Tab

# every step is written down, and a fill of seed 1 ends at nothing but Stop
APP = (
    SLOW_PAGE.replace(
        "for number in range(1, 9):",
        """for number in range(1, 9 if settings.seed != 1 else 1_000_000):
        with open(EVENTS, "a") as events:
            events.write(f"{settings.seed} ")""",
    )
    .replace("number // 8 - 1", "min(number, 8) // 8 - 1")
    .replace("Step(number, 8,", "Step(number, 1_000_000,")
)


@pytest.fixture
def endless(tmp_path, tmp_path_factory):
    """The address of the page, and the file of steps."""
    events = tmp_path / "events"
    for url in run_app(
        f"EVENTS = {str(events)!r}\n{APP}",
        tmp_path_factory,
        ATOMIZER_MAX_FILL_SECONDS="100000",
    ):
        yield url, events


def test_stop_frees_the_slot_at_once(endless):
    url, events = endless
    chosen = {"regions": [], "specs": ["above:6000"], "key": "k"}
    first, second = (Tab(Page(url), number, Result()) for number in (1, 2))
    for tab in (first, second):
        tab.trigger("file", "upload", file=tab.upload())
    second.result.ranks.clear()
    theirs = []

    def second_gets_its_place(outputs):
        if events.exists() and not theirs:
            theirs.append(
                thread.submit(second.trigger, "fill", "click", view=chosen, method="noise", seed=2)
            )
        return second.result.ranks

    with ThreadPoolExecutor(1) as thread:
        first.trigger(
            "fill", "click", view=chosen, method="noise", seed=1, stop=second_gets_its_place
        )
        said = first.trigger("stop", "click")[-1]["status"]
        assert theirs[0].result()
    assert said.startswith("Stopped")
    seeds = events.read_text().split()
    assert seeds == ["1"] * seeds.count("1") + ["2"] * 8, (
        "not a step of the first one's after the second one's began"
    )
    for tab in (first, second):
        tab.close()
