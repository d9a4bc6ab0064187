"""The model fills the unknown atoms of a task, window by window (windows.py) and step by step.

sampler.py       the loop over windows and steps
state.py         what is known by now, and what the priors predict of the rest; ends.py
amplitudes.py    from the model's distributions to amplitudes; bounds.py, coarse_bins.py
wiener_blend.py  amplitudes with the Wiener estimate
placement.py     places for atoms of unknown time, frequency or channel
"""
