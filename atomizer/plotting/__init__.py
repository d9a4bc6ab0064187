"""Plotting: pictures of atoms, with the colours of the page.

style.py    what a plot shows, and how
axes.py     scales of frequency, ticks, the visible range
palette.py  colours of atoms
raster.py   pixels without axes
figures.py  figures with axes and a legend, as PNG or SVG
"""
