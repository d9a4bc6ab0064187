"""The limits: one declaration, the environment, and the table of the documentation."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from atomizer.limits import Limits, limits, table, variable

ROOT = Path(__file__).parents[1]


def test_the_environment_sets_every_limit():
    for f in fields(Limits):
        value = max(1.0, f.metadata["lowest"])
        read = Limits.read({variable(f.name): f" {value:g} "})
        assert read == replace(Limits(), **{f.name: value}) != Limits(), f.name
        assert isinstance(getattr(read, f.name), int) or f.type == "float"
    assert Limits.read({}) == Limits.read({variable("steps"): " "}) == Limits()


@pytest.mark.parametrize(
    "name, value, says",
    [
        ("steps", "3.5", "whole number from 1"),
        ("seconds", "lots", "'lots'"),
        ("channels", "9", "from 1 to 8"),
        ("queue", "0", "from 1"),
        ("file_mb", "inf", "in MB"),
        ("rate", "nan", "in Hz"),
        ("seconds", "-1", "0.001"),
        ("steps", "256", "from 1 to 255"),
    ],
)
def test_an_invalid_value_is_one_sentence(refused, name, value, says):
    with refused(variable(name), says):
        Limits.read({variable(name): value})


def test_the_environment_is_read_once(limited):
    limited(steps=3)
    assert limits().steps == 3 and limits() is limits()


def test_every_limit_has_a_description_and_a_valid_default():
    for f in fields(Limits):
        assert (
            f.metadata["line"]
            and f.metadata["unit"]
            and f.default >= f.metadata["lowest"]
            and f.default <= f.metadata["highest"]
        )


def test_the_documentation_holds_the_table():
    assert table() in (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8"), (
        "print(atomizer.limits.table()) belongs into docs/hosting.md"
    )
