"""A fingerprint of the shipped checkpoint: a few numbers of its fills.

    python -m tests.golden            # write tests/golden.json: once per checkpoint or sampler
    python -m tests.golden --compare  # compare threads, vector instructions and precisions

Tolerances are `DECIBELS` for the level of a band of drawn atoms and `SHARE` for the error of
expected amplitudes, relative to their root mean square. They are far above the differences that
were measured between thread counts, AVX2, AVX-512 and none, bfloat16 and float32
(dev/reliability.md), and far below those of any change of the model.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FILE = Path(__file__).with_name("golden.json")
DECIBELS, SHARE = 1.0, 0.05
EDGES = (0, 200, 400, 800, 1600, 3200, 6400, 9000, 12_000, 16_000, 22_050)
FILLS = {  # name: (sound, start in seconds, selection, features); one second each
    "half of the atoms": ("solo.flac", 3.5, "random:50", ("velocity", "sign")),
    "half of the signs": ("ensemble.flac", 2.0, "random:50", ("sign",)),
    "highs": ("percussion.flac", 1.0, "above:8000", ("velocity", "sign")),
    "a gap": ("band.flac", 2.0, "time:0.4-0.7", ("velocity", "sign")),
}


def identity() -> str:
    """Hash of the shipped checkpoint."""
    from atomizer.model.checkpoint import SHIPPED

    return hashlib.sha256(
        b"".join((SHIPPED / name).read_bytes() for name in ("config.json", "model.safetensors"))
    ).hexdigest()[:16]


def fingerprint(model, names=FILLS) -> dict[str, dict[str, list[float]]]:
    """Numbers of every fill: {"bands": levels, "atoms": amplitudes}.

    The levels in dB are those of the filled atoms by band. The amplitudes are the filled ones of
    the 32 loudest hidden atoms, relative to the root mean square of the true ones.
    """
    from atomizer import Settings, fill, parse, prepare, read
    from atomizer.inpainting.fill import last
    from atomizer.io.audio import Sound

    out = {}
    for name in names:
        file, start, select, features = FILLS[name]
        sound = read(ROOT / "assets" / file)
        sound = Sound(
            sound.samples[:, int(start * sound.rate) : int((start + 1) * sound.rate)], sound.rate
        )
        task = prepare(sound, parse([select], features))
        grid = last(fill(task, Settings(seed=1), model)).grid
        filled, hertz = (
            np.where(task.mask, grid, 0).astype(np.float64),
            task.space.hertz(np.arange(task.space.hop)),
        )
        bands = [
            10 * np.log10((filled[..., (hertz >= low) & (hertz < high)] ** 2).sum() + 1e-12)
            for low, high in zip(EDGES, EDGES[1:])
        ]
        hidden = np.abs(np.where(task.mask, task.grid, 0)).ravel()
        loudest = np.sort(np.argsort(-hidden, kind="stable")[:32])
        unit = float(np.sqrt((task.grid.ravel()[loudest].astype(np.float64) ** 2).mean()))
        out[name] = {
            "bands": [round(v, 3) for v in bands],
            "atoms": [round(float(v) / unit, 4) for v in filled.ravel()[loudest]],
        }
    return out


def distance(a: dict, b: dict) -> dict[str, tuple[float, float]]:
    """Differences of two fingerprints: {fill: (largest of a band in dB, RMS of the atoms)}.

    Bands below -60 dB consist of few atoms and are ignored.
    """
    out = {}
    for name in set(a) & set(b):
        bands = [abs(x - y) for x, y in zip(a[name]["bands"], b[name]["bands"]) if max(x, y) > -60]
        atoms = np.subtract(a[name]["atoms"], b[name]["atoms"])
        out[name] = (max(bands), float(np.sqrt((atoms**2).mean())))
    return out


def here(threads: int, bfloat16: bool, names=FILLS) -> dict:
    """The fingerprint in this process."""
    import torch

    from atomizer import load_model

    torch.set_num_threads(threads)
    if not bfloat16:
        torch.cpu._is_avx512_bf16_supported = lambda: False
    return fingerprint(load_model(device="cpu"), names)


def elsewhere(
    threads: int = 1, bfloat16: bool = True, instructions: str | None = None, names=FILLS
) -> dict:
    """The fingerprint in a separate process, with PyTorch's kernels for some `instructions`.

    They are "default" (no AVX), "avx2", or None for the best of this CPU.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
    if instructions:
        isa, mkl = ("AVX2", "AVX2") if instructions == "avx2" else ("SSE41", "SSE4_2")
        environment |= {
            "ATEN_CPU_CAPABILITY": instructions,
            "ONEDNN_MAX_CPU_ISA": isa,
            "DNNL_MAX_CPU_ISA": isa,
            "MKL_ENABLE_INSTRUCTIONS": mkl,
            "NPY_DISABLE_CPU_FEATURES": (
                "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
            ),
        }
    code = (
        "import json; from tests.golden import here; "
        f"print(json.dumps(here({threads}, {bfloat16}, {list(names)})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def compare() -> None:
    runs = {
        "1 thread": elsewhere(),
        "1 thread, again": elsewhere(),
        "2 threads": elsewhere(2),
        "without bfloat16": elsewhere(bfloat16=False),
        "without bfloat16, 2 threads": elsewhere(2, False),
        "AVX2, without bfloat16": elsewhere(bfloat16=False, instructions="avx2"),
        "no AVX, without bfloat16": elsewhere(bfloat16=False, instructions="default"),
    }
    first = next(iter(runs.values()))
    for name, found in runs.items():
        print(
            f"{name:28}"
            + "; ".join(
                f"{fill} {bands:.3f} dB, {100 * atoms:.2f} %"
                for fill, (bands, atoms) in distance(first, found).items()
            ),
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--compare", action="store_true")
    if parser.parse_args().compare:
        compare()
        return
    data = {"checkpoint": identity(), "fills": here(1, False)}
    FILE.write_text(json.dumps(data, indent=1).replace("\n    ", " ").replace("\n   ]", "]") + "\n")
    print(f"{FILE.name} is of checkpoint {data['checkpoint']}")


if __name__ == "__main__":
    main()
