"""Fill in a sound through the endpoints of a running page, with `pip install gradio_client`.

python examples/client.py http://127.0.0.1:7860 in.wav
"""

import sys

from gradio_client import Client, handle_file

url, path = sys.argv[1:3]
client, sound = Client(url, verbose=False), handle_file(path)

facts = client.predict(sound, api_name="/atomize")
print(f"{facts['audible']:,} audible atoms in {facts['duration_s']:.1f} s")

fewer = client.predict(
    sound, start=0.5, seconds=1, atomizer="matching-pursuit", api_name="/atomize"
)
print(
    f"{fewer['atoms']:,} matching-pursuit atoms hold a second of it with {fewer['srr_db']:.1f} dB"
)

# everything above 8 kHz of the second that starts at 0.5 s
filled = client.predict(
    sound, select=["above:8000"], start=0.5, seconds=1, seed=3, api_name="/fill"
)
print("filled in:", filled)
