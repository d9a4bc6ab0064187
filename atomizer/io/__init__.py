"""Files: sounds, atomic writes, datasets and shipped resources.

audio.py         sounds as a whole: reading, writing, resampling
reader.py        samples from anywhere in a file; containers/ finds them where headers are wrong
writer.py        a file written block by block
formats.py       which files are read and written, and their sample formats
ffmpeg.py        formats that libsndfile does not read
decoders.py      formats that other packages read
channels.py      the order of channels
peaks.py         peaks above full scale, and rounding
tags.py          tags and cover art

atomic_write.py  a file appears when it is complete
datasets.py      folders of recordings; audio_parts.py packs them to train on another machine
resources.py     what is shipped with the package
"""
