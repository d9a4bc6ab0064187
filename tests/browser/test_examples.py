"""The examples do what they say, against a running page; they need no browser, only its server."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from serving import QUICK_PAGE, run_app

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, *arguments) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_client(app_url, sounds):
    said = run("client.py", app_url, sounds["stereo"])
    assert (
        "audible atoms in 4.0 s" in said
        and "matching-pursuit atoms hold a second of it with 20" in said
    )
    assert Path(said.split("filled in: ")[1].strip()).is_file()


@pytest.mark.skipif(
    importlib.util.find_spec("mcp") is None, reason='the MCP tools need `pip install "gradio[mcp]"`'
)
def test_mcp_client(tmp_path_factory, sounds):
    for url in run_app(QUICK_PAGE, tmp_path_factory, GRADIO_MCP_SERVER="True"):
        said = run("mcp_client.py", url, sounds["mono"])
        assert (
            "tools: atomize, fill_file" in said
            and "'channels': 1" in said
            and "'srr_db': 20" in said
            and "filled.wav" in said
        )
        assert "There is no selection 'sideways:3'" in said
