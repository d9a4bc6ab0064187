"""What is filled in sample by sample, or joined to the samples around it.

holes.py             joins holes in time to the samples around them, or fills them
autoregression.py    linear prediction: interpolation between known samples
declipping.py        clipped peaks
fades.py             fade-outs: where they begin, and how they go on
"""
