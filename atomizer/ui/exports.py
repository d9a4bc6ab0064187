"""Files that a visitor takes home: sounds, atoms, settings and pictures of any version."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import __version__
from ..analysis import MDCTAtomizer
from ..atoms.atoms import Atoms
from ..errors import AtomizerError
from ..inpainting.recipe import dump_recipes
from ..io.audio import Sound, read, write
from ..model import checkpoint
from ..plotting.figures import Look, picture, picture_of_tiles, save
from .session import Session


@dataclass(frozen=True)
class Wanted:
    """What to export: a kind of `KINDS`, a version ("original", "masked", "filled" or "change"), a variation, and how it is seen."""

    kind: str
    version: str
    variation: int | None
    look: Look


def sound_of(session: Session, wanted: Wanted) -> Sound:
    """The exact samples of a version, in the sample format of the original."""
    kept = None if wanted.variation is None else session.kept.get(wanted.variation)
    if wanted.version == "original" or kept is None:
        return session.sound
    read_ = lambda path: replace(read(path), subtype=session.sound.subtype)
    if wanted.version != "change":
        return read_(getattr(kept, "masked" if wanted.version == "masked" else "filled"))
    filled = read_(kept.filled)
    return replace(filled, samples=filled.samples - read(kept.masked).samples)


def name_of(session: Session, wanted: Wanted, ending: str) -> str:
    """A file name; a version that does not exist falls back to the original, as in `sound_of`."""
    words = [Path(session.name).stem[:60]]
    if session.recipes and wanted.version == "original":
        words.append("filled")
    if wanted.version != "original" and wanted.variation in session.kept:
        label = session.variation(wanted.variation).label
        words += [wanted.version] + ([label] if wanted.version != "masked" else [])
    return "-".join(words) + ending


def export(session: Session, wanted: Wanted) -> tuple[bytes, str]:
    """(content, file name) of an export. Raises AtomizerError for a kind that there is not."""
    if wanted.kind not in KINDS:
        raise AtomizerError(
            f"There is no export {wanted.kind[:20]!r}: choose from {', '.join(KINDS)}."
        )
    ending, make = KINDS[wanted.kind]
    return make(session, wanted), name_of(session, wanted, ending)


def _audio(ending: str, subtype: str | None) -> Callable[[Session, Wanted], bytes]:
    def make(session: Session, wanted: Wanted) -> bytes:
        sound = sound_of(session, wanted)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"sound{ending}"
            write(path, replace(sound, subtype=subtype or sound.subtype))
            return path.read_bytes()

    return make


def shows_pursuit(session: Session, wanted: Wanted) -> bool:
    """Whether a version is shown as matching-pursuit atoms: the original is, where there are any."""
    return session.pursuit is not None and (
        wanted.version == "original" or wanted.variation not in session.kept
    )


def _atoms_of(session: Session, wanted: Wanted) -> Atoms:
    if session.pursuit is not None and shows_pursuit(session, wanted):
        return session.pursuit.atoms
    return MDCTAtomizer(session.space).analyse(sound_of(session, wanted).at(session.space.rate))


def _npz(session: Session, wanted: Wanted) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "atoms.npz"
        _atoms_of(session, wanted).save(path)
        return path.read_bytes()


def _csv(session: Session, wanted: Wanted) -> bytes:
    """Audible atoms as text: their features, and what they mean in seconds, Hz and dB."""
    atoms = _atoms_of(session, wanted)
    atoms = atoms[atoms.audible]
    space = atoms.space
    columns = {feature.name: (getattr(atoms, feature.name), "%d") for feature in space.features}
    columns |= {
        "seconds": (space.seconds(atoms.time), "%.6f"),
        "hertz": (space.hertz(atoms.frequency), "%.3f"),
        "db": (space.level_db(atoms.velocity.astype(float)), "%.1f"),
        "amplitude": (atoms.amplitude, "%.7g"),
    }
    text = io.StringIO()
    np.savetxt(
        text,
        np.stack([values.astype(float) for values, _ in columns.values()], 1),
        delimiter=",",
        comments="",
        header=",".join(columns),
        fmt=[format_ for _, format_ in columns.values()],
    )
    return text.getvalue().encode()


def _settings(session: Session, wanted: Wanted) -> bytes:
    """All fills that lead from the loaded sound to this version."""
    kept = None if wanted.variation is None else session.kept.get(wanted.variation)
    recipes = [*session.recipes, *([kept.recipe] if kept and wanted.version != "original" else [])]
    if not recipes:
        raise AtomizerError("There are no settings yet: fill something in first.")
    part = session.message.excerpt
    excerpt = f" --start {part.start:.6f} --seconds {part.seconds:.6f}" if part else ""
    command = (
        f"python -m atomizer fill {json.dumps(session.name)} out.wav --settings THIS_FILE{excerpt}"
    )
    return dump_recipes(
        recipes,
        atomizer=__version__,
        sound=session.name,
        checkpoint=checkpoint.SHIPPED.name,
        again=command,
    ).encode()


def _picture(ending: str) -> Callable[[Session, Wanted], bytes]:
    def make(session: Session, wanted: Wanted) -> bytes:
        if session.pursuit is not None and shows_pursuit(session, wanted):
            return save(
                picture_of_tiles(
                    session.pursuit.atoms,
                    session.sound.channels,
                    wanted.look,
                    name_of(session, wanted, ""),
                ),
                ending[1:],
            )
        sound = sound_of(session, wanted)
        grid = MDCTAtomizer(session.space).grid(sound.at(session.space.rate))
        filled = None
        if wanted.look.colour == "state" and grid.shape == session.grid.shape:
            filled = np.abs(grid - session.grid) > 1e-4 * max(
                float(np.abs(grid).max()), 1e-30
            )  # more than rounding
        return save(
            picture(grid, session.space, wanted.look, name_of(session, wanted, ""), filled),
            ending[1:],
        )

    return make


KINDS: dict[str, tuple[str, Callable[[Session, Wanted], bytes]]] = {
    "same": (".wav", _audio(".wav", None)),
    "wav16": (".wav", _audio(".wav", "PCM_16")),
    "wav24": (".wav", _audio(".wav", "PCM_24")),
    "float": (".wav", _audio(".wav", "FLOAT")),
    "flac": (".flac", _audio(".flac", "PCM_24")),
    "npz": (".npz", _npz),
    "csv": (".csv", _csv),
    "settings": (".json", _settings),
    "png": (".png", _picture(".png")),
    "svg": (".svg", _picture(".svg")),
}
