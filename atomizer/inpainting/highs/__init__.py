"""Highs: what is selected above a cutoff, and the level that it is filled to.

cutoff.py  `above:auto`, and the slope of the recording's own cutoff
timbre.py  the code of timbre: chosen, or drawn by the seed
like.py    the mean levels of a reference recording
"""
