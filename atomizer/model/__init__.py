"""The Transformer over cells of atoms."""

import os

# oneDNN, and ideep between it and torch, keep a compiled kernel for each of the last 1024 shapes that they met, some 3 MB for every fill of another
# size: a page that is left running would grow by a gigabyte. They ask when they compile the first.
for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(name, "64")

from .atom_transformer import AtomTransformer  # noqa: E402
from .config import ModelConfig  # noqa: E402
from .state import State  # noqa: E402

__all__ = ["AtomTransformer", "ModelConfig", "State"]
