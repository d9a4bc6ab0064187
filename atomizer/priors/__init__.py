"""Priors: what the known atoms predict about the unknown ones, before the network.

    interface.py          `PriorContext` (input), `Prediction` (output), `Prior` (protocol)
    registry.py           the priors in use, one row each
    wiener.py             linear prediction: coefficients under a Gaussian prior
    short_time.py         its short-time spectra of atoms, and their transpose
    log_power.py          levels as logarithms of power
    spectral_envelope.py  levels interpolated in time and frequency
    envelope_batch.py     the same of many windows at once, for training
    devices.py            where numbers are read back: never from a GPU
    threads.py            independent computations side by side
    edge_levels.py        levels at the edges of holes, for frames far from known ones
    pauses.py             which frames give the level of a hole in a pause
    band_levels.py        levels of a recording in ERB bands, and their statistics
    band_context.py       the same statistics as the model's input, for models that take them
    noise_fill.py         fills without a network: noise with the interpolated levels

    highs/                levels and details above a cutoff, from what is known below it
    recording/            recording priors: copies and partials
    choices.py            their names, for settings

A new prior is a new file with a class that has `name` and `predict`, and one row in `registry.py`:
priors of windows, in this folder, predict atoms of one window of the model, those of `recording/`
the atoms of all hidden spans from the whole recording.
"""
