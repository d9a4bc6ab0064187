"""Long sounds, part by part, in memory that does not grow with their length.

plan.py          where parts begin and end, and what is read around them
fill_parts.py    a stream of filled parts
joints.py        equal levels on both sides of a joint
"""
