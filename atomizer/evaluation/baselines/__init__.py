"""Baselines that need no training, one file per idea; functions take and return arrays.

A grid is (channels, frames, bins); a mask has the same shape in bool and marks the hidden atoms.
Only `envelopes.oracle` reads hidden atoms. A new baseline gets a row in `..methods.METHODS`.
"""
