"""A few visitors for a few seconds; the full test is `python -m tests.load`."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_visitors_hear_only_their_own_sounds(tmp_path):
    options = [
        "--visitors",
        "3",
        "--minutes",
        "0.1",
        "--grace",
        "1",
        "--model-share",
        "0",
        "--out",
        str(tmp_path / "report.json"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.load", *options], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    report = json.loads((tmp_path / "report.json").read_text())
    assert sum(row["count"] for row in report["latency_s"].values()) >= 3
