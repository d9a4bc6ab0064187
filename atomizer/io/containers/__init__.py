"""Containers: what a sound file holds, where its header is missing, cut off or repeated.

libsndfile believes headers. `scan` reads the file's own blocks instead: FLAC from a pipe or cut
off, MP3 without a length, and joined MP3 or Ogg files become parts that libsndfile reads in full.

    scan.py   what a file holds, by the module of its format: aiff.py, flac.py, mp3.py, ogg.py or
              wav.py
    part.py   a part of a file, which a decoder reads as a file of its own
"""

from .part import FilePart, OpenPart
from .scan import Contents, scan

__all__ = ["Contents", "FilePart", "OpenPart", "scan"]
