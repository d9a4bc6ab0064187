"""The gallery: original, masked and filled sounds of the page's examples, heard and seen."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from matplotlib.figure import Figure
from PIL import Image

from atomizer.atoms.space import AtomSpace
from atomizer.inpainting.task import Task
from atomizer.io.audio import Sound, read
from atomizer.plotting.raster import raster
from atomizer.plotting.style import PlotStyle
from atomizer.ui import examples
from atomizer.ui.examples import Example

INTRODUCTION = """# Gallery

The examples of the page, computed with the shipped model at its default settings and one seed:
nothing was chosen by ear. All sounds are our own (`assets/README.md`). Headphones help.
"""
VERSIONS = ("original", "masked", "filled")
VORBIS_QUALITY = 0.6


def gallery() -> tuple[str, dict[str, bytes]]:
    """Return the page (Markdown) and its media files, by name.

    Examples without a cached result are left out.
    """
    sections, media = [INTRODUCTION], {}
    for example in examples.available():
        task = example.recipe.task(read(example.path))
        step = examples.cached(example, task)
        if step is None:
            continue
        grids = (task.grid, task.masked(), step.grid)
        sounds = tuple(task.render(grid) for grid in grids)
        for version, sound in zip(VERSIONS, sounds):
            media[f"gallery/{example.id}-{version}.ogg"] = _encode(sound)
        media[f"gallery/{example.id}.webp"] = _picture(grids, task)
        sections.append(_section(example))
    return "\n".join(sections), media


def _section(example: Example) -> str:
    """Markdown of one example."""
    players = "\n".join(
        f'<figure><figcaption>{version}</figcaption><audio controls preload="none"'
        f' src="gallery/{example.id}-{version}.ogg"></audio></figure>'
        for version in VERSIONS
    )
    return f"""## {example.title}

{example.listen}

![Spectrograms of the original, masked and filled sound](gallery/{example.id}.webp)

<div class="players" markdown="0">
{players}
</div>
"""


def _encode(sound: Sound) -> bytes:
    """Ogg Vorbis, which all browsers play."""
    out = io.BytesIO()
    samples = np.clip(sound.samples.T, -1, 1)
    soundfile.write(
        out,
        samples,
        sound.rate,
        format="OGG",
        subtype="VORBIS",
        compression_level=1 - VORBIS_QUALITY,
    )
    return out.getvalue()


def _picture(grids: tuple[np.ndarray, ...], task: Task) -> bytes:
    """WebP of three spectrograms of atoms side by side."""
    space: AtomSpace = task.space
    figure = Figure(figsize=(12, 3.2), layout="constrained")
    seconds = task.length / space.rate
    for axes, title, grid in zip(figure.subplots(1, 3, sharey=True), VERSIONS, grids):
        axes.imshow(
            raster(grid, space, PlotStyle(scale="mel"), width=900, height=500),
            extent=(0, seconds, 0, 1),
            aspect="auto",
        )
        axes.set(title=title, xlabel="time (s)", yticks=[])
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    small = io.BytesIO()
    Image.open(out).convert("RGB").save(small, format="webp", quality=80)
    return small.getvalue()
