"""From the values of options to atomizers, selections and names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis import ATOMIZERS
from ..errors import AtomizerError
from .files import read_text

if TYPE_CHECKING:
    from ..analysis import MatchingPursuitAtomizer, MDCTAtomizer
    from ..atoms.selection import Selection


def pursuit_of(name: str, srr: float | None, first: int | None = None) -> Any:
    """The matching-pursuit atomizer of a name; None for "mdct"."""
    if name == "mdct":
        if srr is not None:
            raise AtomizerError(
                "Only a matching pursuit ends at a signal-to-residual ratio: choose an --atomizer,"
                " or leave out --srr."
            )
        return None
    from ..analysis import Stop

    return ATOMIZERS[name](stop=Stop(first, 30.0 if srr is None and first is None else srr))


def atomizer_of(
    name: str, srr: float | None, first: int | None = None
) -> MDCTAtomizer | MatchingPursuitAtomizer:
    """The atomizer of a name."""
    return pursuit_of(name, srr, first) or ATOMIZERS["mdct"]()


def selection_of(select: list[str], regions: Path | None, features: str | None) -> Selection:
    """The selection of the options --select, --regions and --features."""
    from ..atoms.selection import Selection, parse
    from ..atoms.space import parse_features

    selection = Selection.from_json(read_text(regions)) if regions else Selection()
    selection = selection + parse(select)
    return selection if features is None else replace(selection, features=parse_features(features))


def check_first(first: int | None) -> None:
    """Raise AtomizerError for a negative number of atoms."""
    if first is not None and first < 0:
        raise AtomizerError(f"The option --first cannot be {first}: 0 or more atoms are accepted.")


def split_names(names: str | None) -> list[str] | None:
    """Names of a comma-separated list; None if it is empty."""
    return [name.strip() for name in names.split(",")] if names else None


def parse_folders(pairs: list[str] | None) -> dict[str, Path]:
    """Folders by name, of texts NAME=FOLDER."""
    folders = {}
    for pair in pairs or ():
        name, _, folder = pair.partition("=")
        if not name or not folder:
            raise AtomizerError(f"{pair[:60]!r} names no folder: write NAME=FOLDER.")
        folders[name] = Path(folder)
    return folders
