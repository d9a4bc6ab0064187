"""Measurements of speed, each beside a peer where there is one.

    records.py  what a measurement is, and how it is written down
    page.py     the page in a headless browser: first picture, redraw, selection feedback

`python -m atomizer bench --page` runs them; a new part is a function that yields records.
"""

from .records import Record, table

__all__ = ["Record", "table"]
