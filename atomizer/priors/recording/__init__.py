"""Recording priors: what the whole recording predicts about the atoms that are hidden in it.

context.py          `RecordingContext` (input), `RecordingPrediction` (output), their sums
copy_prior.py       the prior that copies from elsewhere in the recording
lag_search.py       lags at which the surroundings of a hidden span repeat
copies.py           the recording, shifted by a lag
context_match.py    how well the surroundings repeat there, beside a texture
fitted_copies.py    sums of copies, with gains per band
copy_gains.py       gains of several copies, by what is known
plain_copy.py       copies of best matches, where they are expected to be better than texture
combined_copies.py  what the copies of several places agree on
partials.py         the prior that joins partials across hidden spans
"""
