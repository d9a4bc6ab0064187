"""The language of the repository: plain words, lines of at most 100 columns, short test titles."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = (".py", ".js", ".mjs", ".css", ".html")
MAX_COLUMNS = 100
MAX_TITLE = 60

# Markers of calques and of the names that docs/glossary.md lists as "formerly": pattern, and what
# to write instead. A space stands for any white space, comment sign or underscore.
WORDS = {
    "amid|amidst": "among, between",
    "anew": "again",
    "asked for|is asked|are asked|was asked|were asked": "requested, required",
    "blindness": "distance to context",
    "by chance": "random",
    "colour of the highs|colours? of recordings?": "spectral envelope",
    "dear|dearer": "costly",
    "foretold|foretell|foretells": "predicted",
    "gone back to": "restored",
    "hush": "silence threshold",
    "is said|are said|was said": "shown, reported",
    "lend|lends|lending|lent": "patch, copy, provide",
    "lest": "so that ... not",
    "let expect|lets expect": "predict, suggest",
    "let go|lets go|letting go": "expire, release, delete",
    "likeliest": "most likely",
    "mend|mended|mends": "fix",
    "one look|looks? again": "one step, step",
    "so many": "a number",
    "tell a story|tells a story": "load an example",
    "that is none|that are none|it is none|which is none": "invalid",
    "to and fro": "alternately",
    "to be had": "available",
    "told": "notified, given, shown",
    "unevenness": "fine structure",
    "what suits": "default",
    "whoever": "a person who, a process that",
}
# Former names that stored data contain: the key of a cached example is a hash over them.
STORED_NAMES = {("atomizer/ui/examples.py", "hush")}


@cache
def tracked() -> tuple[str, ...]:
    """Names of the files that git tracks."""
    if not (ROOT / ".git").exists():
        return ()
    command = ["git", "ls-files", "-z"]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(name for name in out.split("\0") if name and (ROOT / name).is_file())


@cache
def text_of(name: str) -> str:
    """Text of a file, without the former names of the glossary."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return without_former_names(text) if name == "docs/glossary.md" else text


def without_former_names(text: str) -> str:
    """Text of the glossary with an empty column "formerly"."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        cells = re.split(r"(?<!\\)\|", line)
        if len(cells) == 8:
            lines[number] = "|".join((*cells[:5], " ", *cells[6:]))
    return "\n".join(lines)


def pattern_of(words: str) -> re.Pattern[str]:
    """Pattern of whole words, which underscores part, too."""
    spaced = words.replace(" ", r"[\s_#/*]+")
    return re.compile(rf"(?<![A-Za-z])(?:{spaced})(?![A-Za-z])", re.IGNORECASE)


def found(pattern: re.Pattern[str], name: str) -> list[str]:
    """Places "file:line: match" of a pattern in a file."""
    text = text_of(name)
    return [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}"
        for match in pattern.finditer(text)
    ]


def files(*endings: str) -> list[str]:
    return [name for name in tracked() if name.endswith(endings)]


@pytest.mark.parametrize("words", WORDS)
def test_words_of_the_former_dialect_are_absent(words):
    pattern = pattern_of(words)
    names = [
        name
        for name in files(*CODE, ".md")
        if name != "tests/test_language.py" and (name, words) not in STORED_NAMES
    ]
    places = [place for name in names for place in found(pattern, name)]
    assert not places, f"write {WORDS[words]!r} instead:\n" + "\n".join(places)


@pytest.mark.parametrize("name", files(*CODE))
def test_lines_have_at_most_100_columns(name):
    lines = enumerate(text_of(name).splitlines(), 1)
    long = [f"{name}:{number}: {len(line)}" for number, line in lines if len(line) > MAX_COLUMNS]
    assert not long, "\n".join(long)


def prose_of(text: str) -> list[tuple[int, str]]:
    """Numbers and lines of Markdown that can be wrapped: no tables, code, headings and HTML."""
    prose, fence = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(`{3,}|~{3,})|---$", line)
        if mark and (not fence or mark[0].strip() == fence):
            fence = "" if fence else mark[0].strip()
        elif not fence and not re.match(r"\s*[|#<]", line):
            prose.append((number, line))
    return prose


@pytest.mark.parametrize("name", files(".md"))
def test_prose_has_at_most_100_columns(name):
    long = [f"{name}:{number}" for number, line in prose_of(text_of(name)) if is_too_long(line)]
    assert not long, "\n".join(long)


def is_too_long(line: str) -> bool:
    """Whether a line of prose could be shorter: code and addresses are not parted."""
    words = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", "_"), line).split()
    return len(line) > MAX_COLUMNS and len(words) > 1 and len(words[0]) < MAX_COLUMNS


def test_long_prose_is_found_beside_code_and_tables():
    long, span = "word " * 30, "`" + "code " * 30 + "`"
    text = "\n".join(
        ["---", long, "---", "# " + long, "| " + long, "```sh", long, "```", long, span]
    )
    assert [number for number, line in prose_of(text) if is_too_long(line)] == [9]


@pytest.mark.parametrize("name", [n for n in files(".py") if n.startswith("tests/")])
def test_titles_of_tests_have_at_most_60_characters(name):
    long = [
        f"{name}:{node.lineno}: {len(node.name) - len('test_')}: {node.name}"
        for node in ast.walk(ast.parse(text_of(name)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name) - len("test_") > MAX_TITLE
    ]
    assert not long, "\n".join(long)


PACKAGES = [n for n in files("__init__.py") if n.startswith("atomizer/") and n.count("/") > 1]


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_describe_all_of_their_modules(name):
    index, folder = ast.get_docstring(ast.parse(text_of(name))), Path(name).parent
    inside = [Path(n).relative_to(folder) for n in files(".py") if folder in Path(n).parents]
    modules = {path.parts[0].removesuffix(".py") for path in inside} - {"__init__"}
    missing = [module for module in modules if not re.search(rf"\b{module}\b", index or "")]
    assert not missing, f"{name} does not describe {', '.join(missing)}"


def test_words_are_found_in_names_and_across_lines():
    assert pattern_of("let go").search("# the sound was let\n    # go")
    assert pattern_of("lent").search("def test_highs_are_lent_by_the_octave():")
    assert not pattern_of("lent").search("silent, equivalent, lentil")


def test_only_former_names_of_the_glossary_are_exempt():
    row = "| term | told | a \\| b | `name` | `foretold` | source |"
    assert without_former_names(row) == "| term | told | a \\| b | `name` | | source |"
