"""Atoms: their space, arrays, files, orderings and selections.

space.py           `AtomSpace`: features, cardinalities and units
atoms.py           `Atoms`: N atoms as arrays; npz.py reads and writes them
orderings.py       `ORDERINGS`, `order`; audibility.py by masking.py
bands.py           edges of bands equally wide in ERB-rate or in octaves
selection.py       `Selection`, `parse`: which atoms are unknown
regions.py         drawn parts of the plane, of the shapes in shapes.py
parts_by_rank.py   parts by rank, frames or beats (transience.py, beats.py)
specifications.py  words such as `above:8000`; selection_schema.py: the same as JSON
"""
