"""Files to download: sounds, atoms, settings and pictures of any version."""

from __future__ import annotations

import io
import json
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import __version__
from ..analysis import MDCTAtomizer
from ..atoms.atoms import Atoms
from ..codec import encode
from ..codec.names import ENDING
from ..errors import AtomizerError
from ..inpainting.changes import changes
from ..inpainting.recipe import dump_recipes
from ..inpainting.shaping import FillShape, shape_fill
from ..io.audio import Sound, read, write
from ..model import checkpoint
from ..plotting.figures import encode_figure, plot_grid, plot_tiles
from ..plotting.style import PlotStyle
from .session import Session

FILE_KBPS = 96.0  # of files of atoms: beginnings of them have lower rates


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    kind       a key of `EXPORTS`
    version    "original", "masked", "filled" or "change"
    variation  id of a variation, or None
    look       how a picture shows the atoms
    shape      how the fill of the variation is changed
    """

    kind: str
    version: str
    variation: int | None
    look: PlotStyle
    shape: FillShape = FillShape()


class Export(NamedTuple):
    """A file to download; `notice` is one sentence about its content, or empty."""

    data: bytes
    name: str
    notice: str = ""


def export(session: Session, request: ExportRequest) -> Export:
    """Return the file of a request. Raises AtomizerError for an unknown kind."""
    if request.kind not in EXPORTS:
        raise AtomizerError(
            f"There is no export {request.kind[:20]!r}: choose from {', '.join(EXPORTS)}."
        )
    ending, encode = EXPORTS[request.kind]
    name, content = name_of(session, request, ending), encode(session, request)
    return (
        Export(content, name)
        if isinstance(content, bytes)
        else Export(content[0], name, content[1])
    )


def sound_of(session: Session, request: ExportRequest) -> Sound:
    """Return the exact samples of a version, in the sample format of the original.

    A version that does not exist falls back to the original.
    """
    stored = None if request.variation is None else session.stored.get(request.variation)
    if request.version == "original" or stored is None:
        return session.sound
    masked = _read_as(session.sound, stored.masked)
    if request.version == "masked":
        return masked
    filled = _read_as(session.sound, stored.filled)
    if request.version == "change":
        shaped = shape_fill(masked, masked, filled, request.shape)
        return replace(shaped, samples=shaped.samples - masked.samples)
    return shape_fill(session.sound, masked, filled, request.shape)


def _read_as(original: Sound, path: Path) -> Sound:
    """Read a sound, with the sample format, layout and tags of the original."""
    stored = read(path, math.inf)
    return original.with_samples(stored.samples, stored.rate)


def name_of(session: Session, request: ExportRequest, ending: str) -> str:
    """Return a file name; a version that does not exist falls back to the original."""
    words = [Path(session.name).stem[:60]]
    if session.recipes and request.version == "original":
        words.append("filled")
    if request.version != "original" and request.variation in session.stored:
        words.append(request.version)
        if request.version != "masked":
            words.append(session.variation(request.variation).label)
    return "-".join(words) + ending


def shows_pursuit(session: Session, request: ExportRequest) -> bool:
    """Whether the version is shown as matching-pursuit atoms; only the original can be."""
    return session.pursuit is not None and (
        request.version == "original" or request.variation not in session.stored
    )


def _atoms_of(session: Session, request: ExportRequest) -> Atoms:
    if session.pursuit is not None and shows_pursuit(session, request):
        return session.pursuit.atoms
    sound = sound_of(session, request)
    return MDCTAtomizer(session.space).analyse(sound.at(session.space.rate))


# ---------- encoders: (session, request) -> content of the file, and a notice where there is one


def _audio(
    ending: str, subtype: str | None, session: Session, request: ExportRequest
) -> tuple[bytes, str]:
    """Encode the sound; report attenuated peaks, and in the original's format what has changed.

    A `subtype` of None keeps the sample format of the original.
    """
    sound = sound_of(session, request)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sound{ending}"
        report = write(path, replace(sound, subtype=subtype or sound.subtype)) or ""
        if subtype is None and request.version == "filled":
            # the file itself is compared: rounding and attenuated peaks count
            found = str(changes(session.sound, read(path, math.inf)))
            report = f"{report} {found[0].upper()}{found[1:]}.".strip()
        return path.read_bytes(), report


def _npz(session: Session, request: ExportRequest) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "atoms.npz"
        _atoms_of(session, request).save(path)
        return path.read_bytes()


def _csv(session: Session, request: ExportRequest) -> bytes:
    """Encode the audible atoms as text: their features, and these in seconds, Hz and dB."""
    atoms = _atoms_of(session, request)
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


def _file_of_atoms(session: Session, request: ExportRequest) -> bytes:
    """Encode the version as a file of atoms."""
    return encode(sound_of(session, request), kbps=FILE_KBPS)


def _settings(session: Session, request: ExportRequest) -> tuple[bytes, str]:
    """Encode all fills that lead from the loaded sound to this version; says how to repeat them."""
    stored = None if request.variation is None else session.stored.get(request.variation)
    recipes = list(session.recipes)
    if stored is not None and request.version != "original":
        recipes.append(replace(stored.recipe, shape=request.shape))
    if not recipes:
        raise AtomizerError("There are no settings yet: fill something in first.")
    part = session.part
    excerpt = f" --start {part[0]:.6f} --seconds {part[1]:.6f}" if part else ""
    command = f"python -m atomizer fill {_quoted(session.name)} out.wav --settings"
    loaded = session.undo_stack[0].sound if session.undo_stack else session.sound
    data = dump_recipes(
        recipes,
        atomizer=__version__,
        sound=session.name,
        checkpoint=checkpoint.SHIPPED.name,
        changes=str(changes(loaded, sound_of(session, request))),
        again=f"{command} THIS_FILE{excerpt}",
    ).encode()
    return data, f"Repeat it: {command} {_quoted(name_of(session, request, '.json'))}{excerpt}"


def _quoted(name: str) -> str:
    """Return the name of a file for a command line."""
    return json.dumps(name, ensure_ascii=False)


def _picture(ending: str, session: Session, request: ExportRequest) -> bytes:
    name = name_of(session, request, "")
    if session.pursuit is not None and shows_pursuit(session, request):
        atoms, channels = session.pursuit.atoms, session.sound.channels
        return encode_figure(plot_tiles(atoms, channels, request.look, name), ending[1:])
    space = session.space
    grid = MDCTAtomizer(space).grid(sound_of(session, request).at(space.rate))
    filled = None
    if request.look.colour in ("sign", "state") and grid.shape == session.grid.shape:
        loudest = max(float(np.abs(grid).max()), 1e-30)
        filled = np.abs(grid - session.grid) > 1e-4 * loudest  # more than rounding
    return encode_figure(plot_grid(grid, space, request.look, name, filled), ending[1:])


Encoder = Callable[[Session, ExportRequest], bytes | tuple[bytes, str]]
EXPORTS: dict[str, tuple[str, Encoder]] = {
    "same": (".wav", partial(_audio, ".wav", None)),
    "wav16": (".wav", partial(_audio, ".wav", "PCM_16")),
    "wav24": (".wav", partial(_audio, ".wav", "PCM_24")),
    "float": (".wav", partial(_audio, ".wav", "FLOAT")),
    "flac": (".flac", partial(_audio, ".flac", "PCM_24")),
    "npz": (".npz", _npz),
    "csv": (".csv", _csv),
    "atoms": (ENDING, _file_of_atoms),
    "settings": (".json", _settings),
    "png": (".png", partial(_picture, ".png")),
    "svg": (".svg", partial(_picture, ".svg")),
}
