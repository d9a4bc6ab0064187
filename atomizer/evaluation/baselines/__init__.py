"""Baselines that need no training, one file per idea; functions take and return arrays.

    autoregression.py  samples by linear prediction: Burg, Janssen
    channels.py        a lost channel from the others
    codecs.py          codecs of libsndfile at a bit rate; ffmpeg_codecs.py those of ffmpeg
    envelopes.py       noise of known or interpolated levels, copies of other bands
    loop.py            the end of a sound, repeated
    neighbours.py      values of known atoms nearby
    recording.py       a plain copy from elsewhere in the recording

A grid is (channels, frames, bins); a mask has the same shape in bool and marks the hidden atoms.
Only `envelopes.oracle` reads hidden atoms. A new baseline gets a row in `..methods.METHODS`.
"""
