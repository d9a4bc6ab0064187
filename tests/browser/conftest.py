"""The page in a real browser: servers of serving.py, and Chromium through Playwright.

Every test that uses `page` fails on errors in the browser's console and on requests that leave the
page's origin.
"""

import os
import sys
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import soundfile
from serving import PAGE, QUICK_PAGE, ROOT, SLOW_PAGE, free_port, run_app

from atomizer.benchmarks.page import find_browser, sound_with
from atomizer.io.audio import write

playwright = pytest.importorskip("playwright.sync_api")

sys.path.insert(0, str(ROOT / "tests" / "hosting"))  # for the proxy
# generous, because the machine may be busy
WAIT = int(os.environ.get("ATOMIZER_TEST_WAIT_MS", 90_000))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


# the sum of the layout shifts that the browser has seen
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifted += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""

# the folds of the page open: most tests use what is in them
OPEN_FOLDS = "localStorage['atomizer-folds'] ??= '[\"advanced\",\"more\"]'"


@pytest.fixture(scope="session")
def app_url(tmp_path_factory):
    yield from run_app(PAGE, tmp_path_factory)


@pytest.fixture(scope="session")
def slow_app_url(tmp_path_factory):
    yield from run_app(SLOW_PAGE, tmp_path_factory)


@pytest.fixture(scope="session")
def quick_app_url(tmp_path_factory):
    yield from run_app(QUICK_PAGE, tmp_path_factory)


@pytest.fixture(scope="session")
def strict_app_url(tmp_path_factory):
    """The slow page with limits that are soon passed."""
    yield from run_app(
        SLOW_PAGE,
        tmp_path_factory,
        ATOMIZER_MAX_FILL_SECONDS="2",
        ATOMIZER_MAX_FILE_MB="0.5",
        ATOMIZER_MAX_VARIATIONS="2",
        ATOMIZER_MAX_VARIATIONS_KEPT="2",
        ATOMIZER_MAX_STEPS="9",
        ATOMIZER_MAX_ATOMS_DRAWN="1000",
        ATOMIZER_MAX_REGIONS="40",
    )


@pytest.fixture(scope="session")
def proxied_app_url(tmp_path_factory):
    """The quick page under a path of a proxy."""
    from proxy import proxied

    for url in run_app(QUICK_PAGE, tmp_path_factory, GRADIO_ROOT_PATH="/some/where"):
        with proxied(url, "/some/where", free_port()) as address:
            yield address


LAUNCH = {"executable_path": find_browser(), "headless": True, "args": FLAGS}


def started(launch, *arguments, **options):
    """What `launch` returns; the test is skipped without Chromium."""
    try:
        return launch(*arguments, **LAUNCH, **options)
    except playwright.Error as error:
        pytest.skip(f"no Chromium: {error}")


@pytest.fixture(scope="session")
def chromium():
    with playwright.sync_playwright() as p:
        yield p.chromium


@pytest.fixture(scope="session")
def browser(chromium):
    """Chromium whose contexts share nothing."""
    browser = started(chromium.launch)
    yield browser
    browser.close()


class Pages:
    """Pages that tests use one after the other: their caches stay, what they stored does not.

    A page that goes to another address keeps its scripts in memory and takes half of the processor
    time of a new one. The first context without options is on disk, where Chromium keeps compiled
    scripts: there a new page takes half of the time, too.
    """

    def __init__(self, request, chromium, folder):
        self.request = request
        self.chromium = chromium
        self.folder = folder
        self.on_disk = None
        self.idle: dict[str, list] = {}

    def new_context(self, **options):
        if options or self.on_disk is not None:
            return self.request.getfixturevalue("browser").new_context(**options)
        self.on_disk = started(self.chromium.launch_persistent_context, self.folder)
        return self.on_disk

    @contextmanager
    def lease(self, fresh, **options):
        """A page for one test, of a context that no other test uses; a new one if `fresh`."""
        idle = self.idle.setdefault(repr(sorted(options.items())), [])
        kept = idle.pop() if idle else self.new_context(**options).new_page()
        context = kept.context
        others = list(context.pages)  # a context on disk ends with its last page
        yield context.new_page() if fresh else kept
        for page in context.pages:
            if page not in others:
                page.close()
        context.clear_cookies()
        context.clear_permissions()
        idle.append(context.new_page() if kept.is_closed() else kept)


@pytest.fixture(scope="session")
def pages(request, chromium, tmp_path_factory):
    pages = Pages(request, chromium, tmp_path_factory.mktemp("chromium"))
    yield pages
    if pages.on_disk is not None:
        pages.on_disk.close()


@contextmanager
def watched(page, url: str):
    """A list that grows by every error of a page, and every request that leaves its origin."""
    wrong: list[str] = []

    def requested(request):
        if not request.url.startswith((url + "/", "data:", f"blob:{url}/")):
            wrong.append("request to " + request.url)

    def answered(response):
        if response.status >= 400:
            wrong.append(f"{response.status} for {response.url}")

    def logged(message):
        # the browser itself asks for an icon at the root, whatever lies there
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            wrong.append(f"console: {message.text}")

    def failed(error):
        wrong.append(f"page error: {error}")

    listeners = {
        "request": requested,
        "response": answered,
        "console": logged,
        "pageerror": failed,
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    yield wrong
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


@contextmanager
def scripted(page, url: str, script: str):
    """A script that runs before those of the page, in an origin that has stored nothing."""
    session = page.context.new_cdp_session(page)
    session.send(
        "Storage.clearDataForOrigin",
        {"origin": url, "storageTypes": "local_storage,indexeddb"},
    )
    session.send("Page.enable")
    session.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    yield
    if page.is_closed():
        return
    session.detach()
    page.unroute_all()
    page.mouse.move(0, 0)
    page.goto(f"{url}/theme.css")  # where no script stores anything
    page.evaluate("sessionStorage.clear()")


@pytest.fixture
def open_page(pages, request):
    """Function that opens a watched page; what it did wrong fails the test at the end."""
    wrong = []

    with ExitStack() as stack:

        def opened(
            width=1400,
            height=900,
            query="",
            app="app_url",
            fresh=False,
            script="",
            has_sound=True,
            **options,
        ):
            # fresh: as on a first visit, with closed folds and animations; `window.shifted` is the
            # sum of the layout shifts. script: runs before those of the page. has_sound: whether
            # the page loads a sound at its start
            url = request.getfixturevalue(app)
            page = stack.enter_context(pages.lease(fresh, **options))
            page.emulate_media(reduced_motion="no-preference" if fresh else "reduce")
            page.set_viewport_size({"width": width, "height": height})
            page.set_default_timeout(WAIT)
            script = (SHIFTS if fresh else OPEN_FOLDS) + ";" + script
            stack.enter_context(scripted(page, url, script))
            wrong.append(stack.enter_context(watched(page, url)))
            page.goto(f"{url}/{query}", wait_until="domcontentloaded")
            loaded = "[data-scene]" if has_sound else ""
            page.wait_for_selector(f'.atom-view[data-ready="true"]{loaded}')
            return page

        yield opened
    found = sum(wrong, [])
    assert not found, found


@pytest.fixture
def page(open_page):
    return open_page()


@pytest.fixture
def quick(open_page):
    """A page whose fills are noise."""
    return open_page(app="quick_app_url")


@pytest.fixture
def strict(open_page):
    """A page whose limits are soon passed, by its first sound, too."""
    return open_page(app="strict_app_url", has_sound=False)


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    """A stereo sound of 30 s and 200,000 audible atoms."""
    path = tmp_path_factory.mktemp("many") / "many.wav"
    write(path, sound_with(200_000, 30))
    return path


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    """Small sounds, made here: {"stereo", "mono", "low_rate"} -> path; and files without sound."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)

    def tones(seconds, rate, channels):
        t = np.arange(int(seconds * rate)) / rate
        voices = [
            sum(
                np.sin(2 * np.pi * f * (1 + k / 50) * t) * np.exp(-(t % 0.5) * 4)
                for f in (220, 440, 900, 2500)
            )
            / 12
            + 0.01 * rng.standard_normal(len(t))
            for k in range(channels)
        ]
        return np.stack(voices, 1).astype(np.float32)

    paths = {}
    for name, seconds, rate, channels in [
        ("stereo", 4, 44_100, 2),
        ("mono", 3, 44_100, 1),
        ("low_rate", 3, 16_000, 1),
    ]:
        paths[name] = folder / f"{name}.wav"
        soundfile.write(paths[name], tones(seconds, rate, channels), rate, subtype="PCM_24")
    paths["nan"] = folder / "nan.wav"
    soundfile.write(paths["nan"], np.full((4000, 1), np.nan, np.float32), 44_100, subtype="FLOAT")
    paths["long"] = folder / "long.wav"  # louder from second to second
    soundfile.write(
        paths["long"], np.repeat(np.arange(70) / 70, 8_000) * rng.uniform(-1, 1, 8_000 * 70), 8_000
    )
    paths["single"] = folder / "single.wav"
    soundfile.write(paths["single"], np.array([[0.5]], np.float32), 44_100, subtype="FLOAT")
    paths["garbage"] = folder / "garbage.wav"
    paths["garbage"].write_bytes(bytes(rng.integers(0, 256, 5000, dtype=np.uint8)))
    paths["empty"] = folder / "empty.wav"
    paths["empty"].write_bytes(b"")
    return paths
