"""Plotting: figures and palettes."""
