"""Pack recordings for a machine without a network: python tools/pack_audio.py FOLDER.

Writes part-1.tar, part-2.tar … of at most --mib MiB to --out: `python -m atomizer train --audio`
accepts such a part. Sources that are reserved for evaluation are left out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atomizer.errors import AtomizerError  # noqa: E402
from atomizer.io.audio_parts import FORMATS, pack  # noqa: E402


def main() -> None:
    """Pack the folders of the command line and print the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--out", default=".leg", help="folder of the parts")
    parser.add_argument("--mib", type=float, default=36.0, help="largest size of a part")
    parser.add_argument("--form", choices=FORMATS, default=FORMATS[0])
    options = parser.parse_args()
    try:
        for part in pack(options.folders, options.out, options.mib, options.form):
            print(f"{part}  {part.stat().st_size / (1 << 20):.1f} MiB")
    except AtomizerError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
