"""A configuration of the model for tests: every part of it, with few weights."""

from atomizer.atoms.space import AtomSpace
from atomizer.model import ModelConfig

SPACE = AtomSpace(rate=8000, hop=64, frames=16, channels=2)
TINY = ModelConfig(
    space=SPACE, cell=(4, 8, 2), embed=8, width=32, heads=2, layers=2, window=16, slot=4, hidden=32
)
