"""Inpainting: from a selection to a filled sound."""
