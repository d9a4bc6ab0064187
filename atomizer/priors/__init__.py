"""Priors: what the known atoms predict about the unknown ones, before the network.

    interface.py          `PriorContext` (input), `Prediction` (output), `Prior` (protocol)
    registry.py           the priors in use, one row each
    wiener.py             linear prediction: coefficients under a Gaussian prior
    spectral_envelope.py  levels interpolated in time and frequency
    fine_structure.py     details of the octave below a cutoff, patched above it
    noise_fill.py         fills without a network: noise with the interpolated levels

A new prior is a new file with a class that has `name` and `predict`, and one row in `registry.py`.
"""
