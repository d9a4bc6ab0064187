"""Baselines: what a fill is worth that needs no training. One file per idea; every function takes arrays and returns arrays.

A grid is (channels, frames, bins), a mask the same in bool: the hidden atoms, which no baseline but `oracle` reads.
"""
