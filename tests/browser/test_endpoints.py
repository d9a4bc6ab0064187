"""The endpoints, driven by gradio_client with no page open."""

import time

import numpy as np
import pytest
import soundfile
from gradio_client.utils import Status
from serving import run_app

from atomizer.io.audio import read

client_module = pytest.importorskip("gradio_client")


@pytest.fixture(scope="module")
def client(app_url, tmp_path_factory):
    return client_module.Client(
        app_url, download_files=str(tmp_path_factory.mktemp("downloads")), verbose=False
    )


def handle(path):
    return client_module.handle_file(str(path))


def test_only_the_clean_endpoints_are_listed(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/atomize", "/fill"}


def test_atomize(client, sounds):
    info = client.predict(handle(sounds["stereo"]), api_name="/atomize")
    assert (
        info["channels"] == 2 and info["rate"] == 44_100 and info["duration_s"] == pytest.approx(4)
    )
    assert info["atoms"] >= info["audible"] > 1000


def test_fill_with_defaults(client, sounds):
    path = client.predict(
        handle(sounds["stereo"]), select=["above:8000"], steps=2, api_name="/fill"
    )
    filled = read(path)
    original = read(sounds["stereo"])
    assert (
        filled.samples.shape == original.samples.shape
        and filled.rate == 44_100
        and filled.subtype == "PCM_24"
    )
    assert not np.array_equal(filled.samples, original.samples)


@pytest.mark.parametrize(
    "select", [["time:1-2", "above:9000"], "time:1-2 above:9000", "time:1-2,above:9000"]
)
def test_specifications_come_as_a_list_or_as_text(client, sounds, select):
    path = client.predict(
        handle(sounds["mono"]), select=select, method="noise", seed=3, api_name="/fill"
    )
    assert read(path).seconds == pytest.approx(3)


def test_beyond_the_sound(client, sounds):
    path = client.predict(handle(sounds["mono"]), extend=1, steps=1, api_name="/fill")
    assert read(path).seconds == pytest.approx(4)
    path = client.predict(handle(sounds["mono"]), add_channels=1, steps=1, api_name="/fill")
    assert soundfile.info(path).channels == 2


def test_an_excerpt_of_a_long_file(client, sounds):
    info = client.predict(handle(sounds["long"]), start=60, seconds=2, api_name="/atomize")
    assert info["duration_s"] == 2
    path = client.predict(
        handle(sounds["long"]),
        select=["rect:0.5,1,1000,3000"],
        method="noise",
        start=60,
        seconds=2,
        api_name="/fill",
    )
    filled, original = read(path), read(sounds["long"], start=60, seconds=2)
    assert filled.samples.shape == original.samples.shape and not np.array_equal(
        filled.samples, original.samples
    )
    with pytest.raises(
        Exception,
        match="lasts 70.0 seconds and 30 are accepted at a time: "
        "request an excerpt with start and seconds",
    ):
        client.predict(handle(sounds["long"]), api_name="/atomize")
    with pytest.raises(Exception, match="at most 30 seconds, not 31"):
        client.predict(handle(sounds["long"]), seconds=31, api_name="/atomize")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (dict(select=["above:loud"]), "is no selection"),
        (dict(select=["sideways:3"]), "There is no selection"),
        (dict(select=[]), "Nothing is selected"),
        (dict(select=["above:8000"], features=[]), "at least one feature"),
        (dict(select=["above:8000"], steps=1000), "steps"),
    ],
)
def test_errors_reach_the_client_as_a_sentence(client, sounds, arguments, sentence):
    with pytest.raises(Exception, match=sentence):
        client.predict(handle(sounds["mono"]), **arguments, api_name="/fill")


def test_garbage_reaches_the_client_as_a_sentence(client, sounds):
    with pytest.raises(Exception, match="as sound: please use"):
        client.predict(handle(sounds["garbage"]), api_name="/atomize")


def test_matching_pursuit_atoms(client, sounds):
    info = client.predict(
        handle(sounds["mono"]), seconds=1, atomizer="matching-pursuit", api_name="/atomize"
    )
    assert info["srr_db"] >= 20
    path = client.predict(
        handle(sounds["mono"]),
        select=["rect:0.3,0.6,300,3000"],
        method="noise",
        seconds=1,
        atomizer="matching-pursuit",
        api_name="/fill",
    )
    assert read(path).seconds == pytest.approx(1)
    with pytest.raises(
        Exception, match="There is no atomizer 'axe': choose from mdct, matching-pursuit, "
    ):
        client.predict(handle(sounds["mono"]), atomizer="axe", api_name="/atomize")


# fills at the endpoint wait until the test creates a file
HELD_APP = """
import os, time
from atomizer.ui import api, build, launch

fill = api.fill

def held_fill(task, settings, model):
    while not os.path.exists(os.environ["RELEASE"]):
        time.sleep(0.02)
    yield from fill(task, settings, model)

api.fill = held_fill
launch(build())
"""


@pytest.fixture
def held_app(tmp_path_factory):
    """Address of an app with a short queue, and the file that lets its fills begin."""
    release = tmp_path_factory.mktemp("held") / "release"
    for url in run_app(
        HELD_APP,
        tmp_path_factory,
        ATOMIZER_MAX_QUEUE="2",
        ATOMIZER_MAX_WAITING="1",
        RELEASE=str(release),
    ):
        yield url, release


def test_waiting_requests_are_limited(held_app, sounds):
    url, release = held_app
    one, two, three = (
        client_module.Client(url, download_files=False, verbose=False) for _ in range(3)
    )

    def job(client, status=None):
        submitted = client.submit(
            handle(sounds["mono"]), select=["above:8000"], method="noise", api_name="/fill"
        )
        while status and submitted.status().code != status:
            time.sleep(0.02)
        return submitted

    running = job(one, Status.PROCESSING)
    waiting = job(one, Status.IN_QUEUE)
    with pytest.raises(
        Exception,
        match="You have 1 waiting in the queue already, the limit of one client: "
        "try again when the first of them has started.",
    ):
        job(one).result()
    theirs = job(two, Status.IN_QUEUE)
    with pytest.raises(Exception, match="Queue is full"):
        job(three).result()
    assert not waiting.done(), "a refusal does not wait for a turn"
    release.touch()
    assert running.result() and waiting.result() and theirs.result() and job(one).result()
