"""Assemble a Hugging Face Space: the tracked files of this checkout without tests and tools.

python tools/assemble_space.py OUT [--space OWNER/NAME]
cd OUT && git init -b main && git add . && git commit -m "The Atomizer"
git push --force https://huggingface.co/spaces/OWNER/NAME main
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
EXCLUDED = (
    *("tests", "tools", "dev", "assets/make_sounds.py", "package.json", "mkdocs.yml"),
    *("requirements-docs.txt", "requirements-lint.txt"),
    *(".ci", ".gitignore", ".git-blame-ignore-revs", ".pre-commit-config.yaml", ".prettierrc.json"),
)
MAX_BYTES = 10_000_000  # the Hub requires large-file storage from this size
THUMBNAIL = re.compile(r"^(thumbnail: )(?!https:)(\S+)$", re.MULTILINE)


def shipped(tracked: list[str]) -> list[str]:
    """The tracked files that belong to the Space."""
    return [
        name
        for name in tracked
        if not any(PurePosixPath(name).is_relative_to(out) for out in EXCLUDED)
    ]


def text_of(name: str, text: str, space: str | None) -> str:
    """Text of a file in the Space: without the tests' requirements, with a full thumbnail URL."""
    if name == "requirements.txt":
        return text.split("# test\n")[0]
    if name == "README.md" and space:
        return THUMBNAIL.sub(
            rf"\1https://huggingface.co/spaces/{space}/resolve/main/\2", text, count=1
        )
    return text


def assemble(out: Path, space: str | None = None) -> list[Path]:
    """Write the Space's files into an empty or new folder, and return them.

    Raises ValueError if the folder is not empty or a file is too large.
    """
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"The folder {out.name!r} is not empty: give a new one.")
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    names = [name for name in shipped(tracked) if name and (ROOT / name).is_file()]
    large = [name for name in names if (ROOT / name).stat().st_size >= MAX_BYTES]
    if large:
        raise ValueError(
            f"These files have {MAX_BYTES // 10**6} MB or more, too large for a plain push: "
            f"{', '.join(large)}."
        )
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        if name in ("requirements.txt", "README.md"):
            (out / name).write_text(
                text_of(name, (ROOT / name).read_text(encoding="utf-8"), space), encoding="utf-8"
            )
        else:
            shutil.copyfile(ROOT / name, out / name)
    return [out / name for name in names]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument(
        "--space",
        metavar="OWNER/NAME",
        help="the Space that the folder is pushed to, part of the thumbnail's address",
    )
    arguments = parser.parse_args()
    try:
        files = assemble(arguments.out, arguments.space)
    except ValueError as error:
        sys.exit(f"assemble_space: {error}")
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    print(f"{len(files)} files, {megabytes:.1f} MB in {arguments.out}")
