"""Atoms: their space, arrays, orderings and selections."""
