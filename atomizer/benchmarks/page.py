"""Speed of the page in headless Chromium; needs the packages playwright and chromium.

The peer of drawing and selecting is Plotly's scattergl with the same number of points, in the same
browser without a graphics card.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..analysis import MDCTAtomizer
from ..atoms.atoms import Atoms
from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from ..io.audio import Sound, write
from .records import Record
from .start import server

ATOMS = 200_000
RUNS = 15
# The shell without a window needs half of the processor time
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--mute-audio"]
PEER = "Plotly scattergl"
VIEW = "document.querySelector('.atom-view').atomView.testApi"

# Every script waits until the canvas is drawn again
MEASURE = """
const view = VIEW, {picture, state} = view;
const drawn = (work) => new Promise((done) => {
  const began = performance.now(), before = picture.draws;
  work();
  const check = () => (picture.draws > before
    ? done(performance.now() - began) : requestAnimationFrame(check));
  requestAnimationFrame(check);
});
""".replace("VIEW", VIEW)
REDRAW = f"async () => {{ {MEASURE} picture.draw(); return picture.drawMilliseconds; }}"
PAN = (
    f"async () => {{ {MEASURE} return drawn(() => picture.pan(Math.random() < 0.5 ? 7 : -7, 0)); }}"
)
SELECT = f"""async () => {{ {MEASURE}
  const from = Math.random() * state.scene.duration / 2;
  const t = [from, from + state.scene.duration / 3];
  return drawn(() => view.preview({{kind: 'rect', op: 'add', t, f: [300, 6000]}})); }}"""
LASSO = f"""async () => {{ {MEASURE}
  const point = (_, k) => [8 + 6 * Math.cos(k / 31.8), 3000 + 2500 * Math.sin(k / 31.8)];
  const points = Array.from({{length: 200}}, point);
  return drawn(() => view.preview({{kind: 'lasso', op: 'add', points, scale: 'log'}})); }}"""
# actions on the page: what is measured, its script, and which of the peer's it is compared with
ACTIONS = {
    "redraw": ("redraw", REDRAW, "pan"),
    "pan": ("pan, axes included", PAN, "pan"),
    "select": ("selection feedback, box", SELECT, "select"),
    "lasso": ("selection feedback, lasso", LASSO, "select"),
}
PLOTLY = f"""async () => {{ {MEASURE}
  const {{axes, atoms}} = picture, div = document.createElement('div');
  Object.assign(div.style, {{
    position: 'fixed', left: 0, top: 0, width: '1000px', height: '450px', zIndex: 99}});
  document.body.append(div);
  const trace = {{type: 'scattergl', mode: 'markers',
    marker: {{size: 2, color: Array.from(atoms.velocity)}},
    x: Array.from(atoms.frame, (m) => axes.seconds[m]),
    y: Array.from(atoms.bin, (k) => axes.hertz[k])}};
  const timed = async (work) => {{
    const began = performance.now();
    await work();
    await new Promise(requestAnimationFrame);
    return performance.now() - began; }};
  try {{
    const first = await timed(() => Plotly.newPlot(div, [trace], {{dragmode: 'select'}}));
    const pan = await timed(() => Plotly.relayout(div, {{'xaxis.range': [1, 20]}}));
    const some = Array.from({{length: atoms.count >> 2}}, (_, k) => 4 * k);
    const select = await timed(() => Plotly.restyle(div, {{selectedpoints: [some]}}));
    return {{first, pan, select}};
  }} catch (error) {{ return null; }} finally {{ Plotly.purge(div); div.remove(); }} }}"""


def sound_with(count: int, seconds: float, seed: int = 0) -> Sound:
    """Synthesise a stereo sound from exactly `count` audible atoms."""
    space, rng = AtomSpace(), np.random.default_rng(seed)
    length = int(seconds * space.rate)
    # away from the ends, where atoms are cut
    shape = (
        2,
        space.frame_count(length) - 2,
        space.hop - 40,
    )
    place = np.unravel_index(rng.choice(np.prod(shape), count, replace=False), shape)
    grid = np.zeros((2, space.frame_count(length), space.hop), np.float32)
    grid[place[0], place[1] + 1, place[2]] = 10 ** rng.uniform(-3, 0, count) * rng.choice(
        [-1, 1], count
    )
    atoms = Atoms.from_grid(grid, space, length)
    samples = MDCTAtomizer(space).synthesise(atoms, 2)
    return Sound(samples / np.abs(samples).max() * 0.7, space.rate)


def music(seconds: float, seed: int = 0) -> Sound:
    """Stereo sound of full bandwidth: tones over noise."""
    rng, rate = np.random.default_rng(seed), 44_100
    t = np.arange(int(seconds * rate)) / rate
    tones = (
        sum(np.sin(2 * np.pi * f * t) * np.exp(-(t % 0.5) * 5) for f in (220, 440, 890, 1800, 5000))
        / 12
    )
    return Sound(
        np.stack([tones + 0.02 * rng.standard_normal(len(t)) for _ in range(2)]).astype(np.float32),
        rate,
        "PCM_16",
    )


class PageEvents:
    """The events of a page that wait or run: Gradio keeps a request open for their messages."""

    def __init__(self, page):
        self.page = page
        self.requests = set()
        page.on("request", self._opened)
        page.on("requestfinished", self._closed)
        page.on("requestfailed", self._closed)  # as is a stream that is closed

    def _opened(self, request) -> None:
        if "/queue/" in request.url:
            self.requests.add(request)

    def _closed(self, request) -> None:
        self.requests.discard(request)

    def wait_for_rest(self) -> None:
        """Wait until the last sound was searched, its last event, and none waits or runs."""
        self.page.wait_for_function(f"{VIEW}.state.findings.length > 0")
        while self.requests:
            self.page.wait_for_timeout(20)


def find_browser(names: Iterable[str] = BROWSERS) -> str | None:
    """Path of the first Chromium that is installed."""
    return next(filter(None, map(shutil.which, names)), None)


def measure(runs: int = RUNS) -> Iterator[Record]:
    """Medians over `runs`. Raises AtomizerError if there is no Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise AtomizerError(
            "The page is measured by playwright, which is not installed: pip install playwright."
        ) from error
    with server() as url, sync_playwright() as playwright:
        browser = _launch(playwright)
        measured = _measure_page(
            browser.new_page(viewport={"width": 1400, "height": 900}), url, runs
        )
        browser.close()
    yield from _records(measured)


@dataclass
class _Measured:
    """Medians in milliseconds.

    upload   of a sound, until its atoms are drawn
    count    number of atoms that are drawn in the actions
    actions  by their names in `ACTIONS`
    peer     of the peer's actions, by their names
    """

    upload: float
    count: int
    actions: dict[str, float]
    peer: dict[str, float]


def _launch(playwright):
    """Launch Chromium. Raises AtomizerError if there is none."""
    from playwright.sync_api import Error

    executable = find_browser(BROWSERS[1:])  # the one that visitors have
    try:
        return playwright.chromium.launch(executable_path=executable, args=FLAGS)
    except Error as error:
        raise AtomizerError("The page is measured in Chromium, which is not installed.") from error


def _measure_page(page, url: str, runs: int) -> _Measured:
    """Upload sounds to the page at an address, and act on the atoms of the last one."""
    page.set_default_timeout(120_000)
    events = PageEvents(page)
    page.goto(url)
    page.wait_for_selector('.atom-view[data-ready="true"]')
    page.evaluate(
        "document.addEventListener('change', () => { window.sent = performance.now(); }, true)"
    )
    uploads = []
    with tempfile.TemporaryDirectory() as folder:
        short, many = Path(folder) / "ten.wav", Path(folder) / "many.wav"
        write(short, music(10))
        write(many, sound_with(ATOMS, 30))
        for _ in range(max(1, runs // 3)):
            events.wait_for_rest()
            uploads.append(upload(page, short))
        upload(page, many)
        events.wait_for_rest()
    actions = {
        name: statistics.median(page.evaluate(script) for _ in range(runs))
        for name, (_, script, _) in ACTIONS.items()
    }
    count = page.evaluate(f"{VIEW}.state.scene.count")
    return _Measured(statistics.median(uploads), count, actions, page.evaluate(PLOTLY) or {})


def _records(measured: _Measured) -> Iterator[Record]:
    """Records of all medians, those of actions beside the peer's."""
    title = "first picture of a 10 s stereo upload, sending and reading included"
    yield Record(title, measured.upload, "ms")
    for name, (text, _, key) in ACTIONS.items():
        yield Record(
            f"{text}, {measured.count:,} atoms",
            measured.actions[name],
            "ms",
            PEER if key in measured.peer else None,
            measured.peer.get(key),
        )


def upload(page, path: Path) -> float:
    """Load a sound; returns milliseconds until all of its atoms are drawn."""
    before = page.evaluate(
        f"[{VIEW}.state.base ? {VIEW}.state.base.id : '', {VIEW}.picture.draws || 0]"
    )
    page.set_input_files("#file input[type=file]", str(path))
    return page.evaluate(
        f"""([id, draws]) => new Promise((done) => {{
        const view = {VIEW};
        const drawn = () => view.picture.scene && view.state.base.id !== id
          && view.picture.scene.id === view.state.base.id && view.picture.draws > draws;
        const check = () => (drawn()
          ? done(performance.now() - window.sent) : requestAnimationFrame(check));
        check(); }})""",
        before,
    )
