"""Training: masked windows of recordings, losses, and the loop.

config.py         `TrainingConfig`
data.py           `AudioBank`: random windows of recordings
plans.py          what is drawn for a window: a region (regions.py) and what of it is revealed
window_priors.py  what the priors predict of masked windows
masking.py        `mask_batch`: the model's input and the truth
losses.py         `Losses`
optimisers.py     AdamW and Muon
loop.py           `Trainer`; run_files.py has its files
leg.py            `Leg`: a training by the clock
draws.py          random names and numbers
"""
