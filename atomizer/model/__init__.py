"""The Transformer over cells of atoms."""

from .atom_transformer import AtomTransformer
from .config import ModelConfig
from .state import State

__all__ = ["AtomTransformer", "ModelConfig", "State"]
