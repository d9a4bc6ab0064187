"""The Transformer that predicts unknown velocities and signs from the known atoms.

config.py            every number that defines a model
state.py             its input: windows of atoms, known or unknown
embedding.py         atoms as tokens
trunk.py             the Transformer over the tokens of a window
decoder.py           level and sign of one atom, from the trunk and its neighbourhood
gaussian.py          what the predictions of priors say of levels and signs
atom_transformer.py  `AtomTransformer`: all of it, with weights in files
ablation.py          the same without the Transformer

inference.py         on the device and in the precision of a model
checkpoint.py        the shipped model, and loading others
"""

import os

# oneDNN and ideep (its binding in torch) each cache a compiled kernel for the last 1024 shapes,
# about 3 MB for every new size of a fill: a long-running page would grow by a gigabyte. The caches
# read these variables when they compile their first kernel.
for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(name, "64")

from .ablation import WithoutTrunk  # noqa: E402
from .atom_transformer import AtomTransformer  # noqa: E402
from .config import ModelConfig  # noqa: E402
from .state import State  # noqa: E402

__all__ = ["AtomTransformer", "ModelConfig", "State", "WithoutTrunk"]
