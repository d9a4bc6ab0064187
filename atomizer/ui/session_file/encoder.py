"""The content of a session -> the bytes of a session file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ... import __version__
from ...validation import validate
from .archive import Writer
from .content import SavedOriginal, SavedSession, SavedVariation
from .loaded_sound import add_sound
from .patch import Patch
from .schema import FORMAT, MANIFEST, ManifestSchema


def encode(content: SavedSession) -> bytes:
    """Return the bytes of a session file.

    Raises AtomizerError where it would be larger than this page accepts.
    """
    archive = Writer()
    sound = add_sound(archive, content.sound)
    originals = [
        _original_data(archive, original, str(k)) for k, original in enumerate(content.originals)
    ]
    work = content.work
    manifest = {
        "format": FORMAT,
        "atomizer": __version__,
        "name": content.name,
        "sound": sound,
        "part": content.part,
        "next_seed": content.next_seed,
        "work": {
            "fill": work.fill.to_dict(),
            "is_new_seed": work.is_new_seed,
            "count": work.count,
            "seconds": work.seconds,
        },
        "originals": originals,
    }
    text = json.dumps(manifest, indent=1)
    validate(ManifestSchema, json.loads(text))  # what is saved can be loaded again
    archive.add(MANIFEST, text.encode())
    return archive.finish()


def _original_data(archive: Writer, original: SavedOriginal, name: str) -> dict[str, Any]:
    """Add the arrays of an original; returns its part of the manifest."""
    data: dict[str, Any] = {
        "variations": [
            _variation_data(archive, variation, f"{name}/{k}")
            for k, variation in enumerate(original.variations)
        ],
        "current": original.current,
    }
    found = original.pursuit
    if found is not None:
        columns = [getattr(found.atoms, column) for column in found.atoms.arrays]
        archive.add_arrays(f"{name}/pursuit", *columns)
        data["pursuit"] = {"name": found.name, "srr_db": found.srr_db, "atoms": len(found.atoms)}
    if original.patch is not None and original.recipe is not None:
        data["patch"] = _patch_data(archive, original.patch, f"{name}/samples")
        data |= {"recipe": original.recipe.to_dict(), "accepted": original.accepted}
    return data


def _variation_data(archive: Writer, variation: SavedVariation, name: str) -> dict[str, Any]:
    """Add the arrays of a variation; returns its part of the manifest."""
    atoms, scene = variation.atoms, variation.scene
    archive.add_arrays(f"{name}/hidden", _steps(variation.hidden))
    archive.add_arrays(f"{name}/atoms", _steps(atoms.cells), atoms.amplitude, atoms.state)
    data = {
        "row": variation.row,
        "recipe": variation.recipe.to_dict(),
        "shape": variation.shape.to_dict(),
        "is_drawn": variation.is_drawn,
        "filled": _patch_data(archive, variation.filled, f"{name}/filled"),
        "masked": _patch_data(archive, variation.masked, f"{name}/masked"),
        "hidden": len(variation.hidden),
        "atoms": len(atoms.cells),
    }
    if scene is not None:
        archive.add_arrays(f"{name}/scene", _steps(scene.atoms.cells), scene.atoms.amplitude)
        data["scene"] = {
            "atoms": len(scene.atoms.cells),
            "added": scene.added.to_dict(),
            "is_mid_side": scene.is_mid_side,
        }
    return data


def _patch_data(archive: Writer, patch: Patch, name: str) -> dict[str, Any]:
    """Add the samples of a patch; returns its part of the manifest."""
    archive.add_arrays(name, np.asarray(patch.samples, "<f4"))
    return {
        "rate": patch.rate,
        "channels": patch.channels,
        "length": patch.length,
        "spans": [list(span) for span in patch.spans],
    }


def _steps(cells: np.ndarray) -> np.ndarray:
    """Ascending cells as steps from one to the next."""
    return np.diff(cells, prepend=0).astype("<u4")
