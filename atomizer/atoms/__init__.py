"""Atoms: their space, arrays, files, orderings and selections."""
