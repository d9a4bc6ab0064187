"""Highs: what the bands below a cutoff predict of the ones above.

fine_structure.py  details of a band below the cutoff, patched above it
tilt.py            how far a tilt can be trusted that is continued above the cutoff
long_term.py       mean levels, from statistics of all that is known
level_tracks.py    levels frame by frame, from a small network
timbre.py          codes of how highs differ from these levels
"""
