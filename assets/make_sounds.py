"""Build the example sounds from their scores, and one from a text.

    python assets/make_sounds.py [--only NAME] [--midi]

Each score below is a short piece written for this project. It becomes a standard MIDI file
(`Score.midi`), which fluidsynth plays with the FluidR3 General MIDI soundfont. The result is
trimmed, faded, scaled to a peak of 0.7 and written as 16-bit FLAC beside this file. The same
versions of fluidsynth and of the soundfont give the same sounds.

`SPEECH` is a text written for this project. Festival's voice `VOICE` speaks it; the same versions
give the same samples.

Requires the Debian packages fluidsynth, fluid-soundfont-gm, festival and festvox-us-slt-hts, and
the Python packages numpy and soundfile; for the ring of the phone also this project
(`pip install .`).
"""

from __future__ import annotations

import argparse
import math
import random
import re
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile

HERE = Path(__file__).parent
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RATE = 44_100
PEAK = 0.7
LOOP_SECONDS, LOOP_AHEAD = 4.0, 0.02  # of a loop; of its cut before the first beat
RING_START, RING_PAUSE, RING_LEVEL = 5.0, 0.3, 0.7  # seconds, seconds, RMS relative to the music's
# options of fluidsynth
REVERB = "-R 1 -o synth.reverb.room-size=0.6 -o synth.reverb.level=0.7".split()
RENDER = "-C 0 -T wav -O float -o synth.midi-bank-select=mma".split()
SPEECH = (
    "Hello, it is me again. The line is poor today: four times a second, a packet is lost. "
    "Can you still hear every word?"
)
VOICE = "cmu_us_slt_arctic_hts"  # of 32 kHz
TICKS = 480  # per beat
BEND_RANGE = 12  # semitones of a full pitch bend
DRUMS = 9  # the tenth channel, counted from 0

# General MIDI programs, counted from 0
PIANO, E_PIANO, GLOCKENSPIEL, MARIMBA = 0, 4, 9, 12
STEEL_GUITAR, FRETLESS_BASS, VIOLIN, CELLO, STRINGS, PIZZICATO = 25, 35, 40, 42, 48, 45
CHOIR_AAHS, VOICE_OOHS, SYNTH_VOICE, BREATH = 52, 53, 54, 121
OBOE, FLUTE, HARP = 68, 73, 46

# General MIDI drums
KICK, STICK, SNARE, CLOSED_HAT, PEDAL_HAT, OPEN_HAT = 36, 37, 38, 42, 44, 46
LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE, BELL, SPLASH, TAMBOURINE = 45, 47, 50, 49, 51, 53, 55, 54
MUTE_CONGA, HIGH_CONGA, LOW_CONGA, CABASA, MARACAS, CLAVES, TRIANGLE = 62, 63, 64, 69, 70, 75, 81

# controllers
VIBRATO, VOLUME, PAN, EXPRESSION, REVERB_SEND = 1, 7, 10, 11, 91


def pitch(name: str) -> int:
    """MIDI key of a note such as "C4" (60), "F#5" or "Bb3"."""
    letter, accidental, octave = re.fullmatch(r"([A-G])([#b]?)(-?\d)", name).groups()
    return (
        {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter]
        + {"": 0, "#": 1, "b": -1}[accidental]
        + 12 * (int(octave) + 1)
    )


class Score:
    """MIDI events at times in beats; `midi` returns them as a file of one track."""

    def __init__(self, beats_per_minute: float, seed: int = 0):
        self.tempo = beats_per_minute
        # (tick, rank among simultaneous events, message)
        self.events: list[tuple[int, int, bytes]] = []
        # index in `events` of the end of the last note of a (channel, key)
        self.ends: dict[tuple[int, int], int] = {}
        self.rng = random.Random(seed)  # of human timing and loudness

    def send(self, beat: float, *message: int, rank: int = 1) -> None:
        """Add a MIDI message; simultaneous ones are sorted by rank."""
        self.events.append((max(0, round(beat * TICKS)), rank, bytes(message)))

    def player(
        self,
        channel: int,
        program: int,
        volume: int = 100,
        pan: int = 64,
        reverb: int = 50,
        drums: bool = False,
    ) -> None:
        """Set up a channel: program, volume, pan from left (0) to right (127), and reverb."""
        if drums and channel != DRUMS:
            self.send(0, 0xB0 | channel, 0, 1, rank=-1)  # bank 128 of the soundfont, the drum kits
        self.send(0, 0xC0 | channel, program, rank=0)
        for controller, value in (
            (VOLUME, volume),
            (PAN, pan),
            (REVERB_SEND, reverb),
            (101, 0),
            (100, 0),
            (6, BEND_RANGE),
        ):
            self.send(0, 0xB0 | channel, controller, value, rank=0)

    def note(
        self, channel: int, beat: float, key: int | str, beats: float, velocity: float = 80
    ) -> None:
        """Add a note of a length in beats, slightly off the beat and the velocity."""
        key = pitch(key) if isinstance(key, str) else key
        start = beat + self.rng.gauss(0, 0.006) * self.tempo / 60
        loud = min(127, max(1, round(velocity + self.rng.gauss(0, 3))))
        self.send(start, 0x90 | channel, key, loud, rank=2)
        tick, before = self.events[-1][0], self.ends.get((channel, key))
        if before is not None and self.events[before][0] > tick:
            # the later end of the former note would end this one
            self.events[before] = (tick,) + self.events[before][1:]
        self.ends[channel, key] = len(self.events)
        self.send(max(start, 0) + beats, 0x80 | channel, key, 0, rank=0)

    def line(
        self, channel: int, beat: float, text: str, velocity: float = 80, legato: float = 0.97
    ) -> float:
        """Add notes such as "D5/1 F5+A5/.5 -/2", and return the beat on which they end.

        Names joined by + sound together, - is a rest, and the numbers are lengths in beats.
        """
        for word in text.split():
            names, beats = word.split("/")
            for name in names.split("+"):
                if name != "-":
                    self.note(channel, beat, name, float(beats) * legato, velocity)
            beat += float(beats)
        return beat

    def control(self, channel: int, controller: int, beat: float, value: float) -> None:
        """Set a controller to a value, limited to 0 … 127."""
        self.send(beat, 0xB0 | channel, controller, min(127, max(0, round(value))))

    def sweep(self, channel: int, controller: int, *points: tuple[float, float]) -> None:
        """Move a controller through (beat, value) points along cosines, in 1/16 beats."""
        for (b0, v0), (b1, v1) in pairwise(points):
            count = max(1, round((b1 - b0) * 16))
            for i in range(count + 1):
                self.control(
                    channel,
                    controller,
                    b0 + (b1 - b0) * i / count,
                    v0 + (v1 - v0) * (1 - math.cos(math.pi * i / count)) / 2,
                )

    def bend(self, channel: int, *points: tuple[float, float]) -> None:
        """Bend the pitch through (beat, semitones) points along cosines, in 1/48 beats."""
        for (b0, s0), (b1, s1) in pairwise(points):
            count = max(1, round((b1 - b0) * 48))
            for i in range(count + 1):
                semitones = s0 + (s1 - s0) * (1 - math.cos(math.pi * i / count)) / 2
                value = min(16383, max(0, round(8192 + 8192 * semitones / BEND_RANGE)))
                self.send(b0 + (b1 - b0) * i / count, 0xE0 | channel, value & 127, value >> 7)

    def hits(
        self, beat: float, drum: int, pattern: str, velocity: float = 90, channel: int = DRUMS
    ) -> None:
        """Add a drum pattern in 1/4 beats: x plain, X loud, o soft, . a rest."""
        accents = {"x": 0, "X": 25, "o": -35}
        for i, c in enumerate(pattern.replace(" ", "")):
            if c != ".":
                self.note(channel, beat + i * 0.25, drum, 0.2, velocity + accents[c])

    def midi(self) -> bytes:
        """Return a standard MIDI file of format 0."""
        track, now = bytearray(b"\x00\xff\x51\x03" + round(6e7 / self.tempo).to_bytes(3, "big")), 0
        for tick, _, message in sorted(self.events):
            track += _variable_length(tick - now) + message
            now = tick
        track += b"\x00\xff\x2f\x00"
        header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS)
        return header + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def _variable_length(number: int) -> bytes:
    """A number in MIDI's bytes of 7 bits, with the top bit set in all but the last."""
    out = [number & 127]
    while number := number >> 7:
        out.append(number & 127 | 128)
    return bytes(reversed(out))


def ensemble() -> Score:
    """Strings, piano and glockenspiel in D: four bars that climb by fifths and end on a ninth."""
    s = Score(92, seed=1)
    strings, piano, bells, cello, flute = 0, 1, 2, 3, 4
    s.player(strings, STRINGS, 92, pan=44, reverb=80)
    s.player(piano, PIANO, 104, pan=74, reverb=45)
    s.player(bells, GLOCKENSPIEL, 88, pan=104, reverb=75)
    s.player(cello, CELLO, 94, pan=24, reverb=60)
    s.player(flute, FLUTE, 84, pan=88, reverb=65)

    s.line(strings, 0, "A3+D4+F#4/4 G3+B3+E4/4 F#3+C#4+A4/4 G3+D4+B4/2 A3+D4+E4/2 F#3+D4+A4/4", 74)
    s.sweep(strings, EXPRESSION, (0, 66), (4, 92), (8, 84), (12, 118), (15, 100), (18, 70))
    s.line(cello, 0, "D2/3 A2/1 E2/2.5 F#2/.5 G2/1 F#2/2.5 E2/.5 A2/1 G2/2 A2/2 D2/4", 78)
    s.line(
        piano,
        0,
        "D4/.5 A4/.5 F#5/.5 E5/.5 D5/.5 A4/.5 F#4/.5 A4/.5 "
        "E4/.5 B4/.5 G5/.5 F#5/.5 E5/.5 D5/.5 B4/.5 G4/.5 "
        "F#4/.5 C#5/.5 A5/.5 G5/.5 F#5/.5 E5/.5 C#5/.5 A4/.5 "
        "G4/.5 D5/.5 B5/.5 A5/.5 A4/.5 E5/.5 C#6/.5 D6/.5 D3+A3+F#4+E5+A5/4",
        76,
    )
    s.line(piano, 0, "D2+D3/4 E2+B2/4 F#2+C#3/4 G2+D3/2 A2+E3/2 D2+A2/4", 64)
    s.line(
        bells,
        1,
        "-/1.5 F#6/.5 A6/1 -/2.5 E6/.5 G6/.5 B6/.5 -/3 C#7/.5 A6/.5 -/1.5 B6/.25 C#7/.25 D7/1 "
        "E7/.5 -/.5 A6/.25 D7/.25 F#7/2",
        70,
    )
    s.line(flute, 8, "A5/1.5 B5/.25 C#6/.25 D6/1 C#6/.5 A5/.5 B5/1.5 D6/.5 E6/1 C#6/1 D6/4", 78)
    s.sweep(flute, VIBRATO, (8, 10), (10, 45), (16, 60), (18, 40))
    return s


def solo() -> Score:
    """A violin alone, rubato.

    Slides into notes, growing vibrato, a double stop, a glissando over an octave, a trill and a
    harmonic.
    """
    s = Score(72, seed=2)
    violin, second = 0, 1
    s.player(violin, VIOLIN, 112, pan=58, reverb=90)
    s.player(second, VIOLIN, 92, pan=72, reverb=90)  # the lower string of the double stops

    s.line(
        violin,
        0,
        "G4/.75 D5/.25 Eb5/1.5 D5/.25 C5/.25 B4/.5 C5/.5 G5/1.5 F#5/.25 Eb5/.25 D5/1",
        92,
        legato=1.02,
    )
    s.bend(violin, (0, -2), (0.3, 0), (1.0, -1), (1.2, 0))
    s.bend(violin, (3.45, 0), (3.5, -3), (3.85, 0), (5.2, 0), (5.6, -0.4), (5.75, 0))
    s.line(second, 3.5, "C4/1.5 A3/.5 G3/1", 70)
    s.line(violin, 7, "D5/2", 96)
    s.bend(violin, (7.2, 0), (8.3, 12), (8.75, 12), (8.99, 10), (9.0, 0))
    trill = 9.0
    while trill < 10:  # faster and faster
        gap = 0.14 - 0.06 * (trill - 9)
        s.line(violin, trill, f"A5/{gap / 2:.3f} Bb5/{gap / 2:.3f}", 84, legato=1.0)
        trill += gap
    s.line(violin, 10.02, "A5/.25 G5/.25 F#5/.25 Eb5/.25 D5/.5 G5/.5 G6/3", 88)
    s.line(second, 11.6, "G3/.4 D4/3", 62)
    s.bend(violin, (11.98, 0), (12.0, -1.5), (12.25, 0))
    s.sweep(
        violin,
        VIBRATO,
        (0, 0),
        (1, 10),
        (2.5, 90),
        (3.4, 20),
        (3.6, 30),
        (5, 110),
        (5.6, 20),
        (7, 60),
        (7.3, 0),
        (9.9, 0),
        (12, 20),
        (13.5, 100),
    )
    s.sweep(
        violin,
        EXPRESSION,
        (0, 70),
        (1.2, 100),
        (3, 80),
        (4.4, 125),
        (6.8, 84),
        (8.7, 124),
        (9, 90),
        (10, 118),
        (11.5, 96),
        (12.5, 112),
        (14, 60),
    )
    return s


def percussion() -> Score:
    """Drum kit, congas and small percussion.

    A groove in four, a fill over the toms, a break of hand drums and a final crash.
    """
    s = Score(104, seed=3)
    left, right = 7, 8  # two more drummers: small percussion, congas
    s.player(DRUMS, 0, 108, reverb=55)
    s.player(left, 0, 112, pan=12, reverb=70, drums=True)
    s.player(right, 0, 112, pan=112, reverb=70, drums=True)
    for bar in (0, 4):
        s.hits(bar, KICK, "X..x ..x. X.x. ..o.")
        s.hits(bar, SNARE, "..o. X..o .o.o X..o")
        s.hits(bar, CLOSED_HAT, "x.xo x.xo x.x. xoxo", velocity=82)
        s.hits(bar, OPEN_HAT, ".... .... ...x ....", velocity=84)
        s.hits(bar, HIGH_CONGA, "..x. .xx. ..x. .x.x", velocity=84, channel=right)
        s.hits(bar, LOW_CONGA, ".... x... .... x.x.", velocity=88, channel=right)
    s.hits(0, CRASH, "X")
    s.hits(4, SPLASH, "x... .... .... ..x.", velocity=76)
    for drum, pattern in (
        (SNARE, "xoXo .... .... ...."),
        (HIGH_TOM, ".... Xxx. .... ...."),
        (MID_TOM, ".... ...x Xx.. ...."),
        (LOW_TOM, ".... .... ..xX XxX."),
        (KICK, "x... x... x... x..."),
    ):
        s.hits(8, drum, pattern, velocity=96)
    s.hits(12, CRASH, "X... .... .... ....")
    s.hits(12, KICK, "X... .... .... x...")
    s.hits(12, HIGH_CONGA, "..xX .xx. X.xx .xX.", velocity=92, channel=right)
    s.hits(12, MUTE_CONGA, "x... x..o .x.. o..x", velocity=88, channel=right)
    s.hits(12, LOW_CONGA, ".x.. ...x ...o X...", velocity=92, channel=right)
    s.hits(12, CABASA, "xoxx oxxo xoxx oxxo", velocity=72, channel=left)
    s.hits(12, CLAVES, "x..x ..x. ..x. x...", velocity=64, channel=left)
    s.hits(12, TRIANGLE, ".... x... .... x.x.", velocity=78, channel=left)
    s.hits(12, BELL, ".... .... x... ....", velocity=70)
    s.hits(12, RIDE, "x..x x..x x..x x..x", velocity=74)
    s.hits(16, CRASH, "X")
    s.hits(16, KICK, "X")
    s.hits(16, SPLASH, "x")
    s.hits(16.02, TAMBOURINE, "x.o.", velocity=84, channel=left)
    return s


def voices() -> Score:
    """A voice over a choir, with breaths between the phrases.

    Every singer is three programs in unison, aah, ooh and a synthetic voice; their expression
    pedals move the formants from vowel to vowel during a note.
    """
    s = Score(76, seed=4)
    vowels = {"a": CHOIR_AAHS, "u": VOICE_OOHS, "e": SYNTH_VOICE}
    lead, choir = {"a": 0, "u": 1, "e": 2}, {"a": 3, "u": 4}
    breath, low = 5, 6
    for vowel, channel in lead.items():
        s.player(channel, vowels[vowel], {"a": 112, "u": 118, "e": 86}[vowel], pan=60, reverb=70)
    s.player(choir["a"], CHOIR_AAHS, 86, pan=28, reverb=100)
    s.player(choir["u"], VOICE_OOHS, 90, pan=100, reverb=100)
    s.player(breath, BREATH, 96, pan=66, reverb=40)
    s.player(low, CHOIR_AAHS, 92, pan=50, reverb=100)

    melody = (
        "-/.5 E4/.5 G4/.5 A4/1.5 C5/.5 B4/.75 G4/.25 A4/1.5 -/.5 A4/.25 C5/.25 D5/.5 E5/1.5 D5/.25 "
        "C5/.25 B4/1 A4/.5 G#4/.5 A4/3.5"
    )
    for channel in lead.values():
        s.line(channel, 0, melody, 98, legato=1.0)
        s.bend(
            channel,
            (0, -1.5),
            (0.6, -1.5),
            (0.8, 0),
            (1.45, -1),
            (1.75, 0),
            (4.95, -0.7),
            (5.2, 0),
            (7.75, -2),
            (8.1, 0),
            (10.9, -1),
            (11.2, 0),
        )
        s.sweep(
            channel,
            VIBRATO,
            (0, 0),
            (1.7, 10),
            (2.8, 70),
            (3.2, 10),
            (5.2, 10),
            (6.3, 80),
            (7, 0),
            (8.2, 20),
            (9.2, 90),
            (9.8, 20),
            (11.3, 20),
            (13, 90),
        )
    diphthongs = "uauaeauaeuaua"  # one vowel after the other, a beat each
    for vowel, channel in lead.items():
        s.sweep(
            channel,
            EXPRESSION,
            *((beat, 120 if v == vowel else 6) for beat, v in enumerate(diphthongs)),
            (15, 6 if vowel != "u" else 90),
        )
    s.line(choir["a"], 0, "A3+C4+E4/4 F3+C4+A4/3 -/.25 G3+E4+B4/2.75 E3+B3+G#4/1 A3+E4+C5/4", 74)
    s.line(choir["u"], 0, "C4+E4/4 A3+F4/3 -/.25 B3+E4/1.75 D4+G4/1 B3+E4/1 C4+E4+A4/4", 74)
    s.line(low, 0, "A2/4 F2/3 -/.25 E2/3.75 A2/4", 82)
    s.sweep(
        choir["a"],
        EXPRESSION,
        (0, 40),
        (2, 110),
        (4, 50),
        (6, 110),
        (7, 40),
        (9, 118),
        (11, 60),
        (13, 110),
        (15, 50),
    )
    s.sweep(
        choir["u"],
        EXPRESSION,
        (0, 110),
        (2, 50),
        (4, 110),
        (6, 50),
        (7, 100),
        (9, 60),
        (11, 118),
        (13, 60),
        (15, 100),
    )
    for beat in (0.05, 6.55):
        s.note(breath, beat, "C5", 0.45, 96)
    return s


def band() -> Score:
    """Steel guitar, fretless bass, electric piano, marimba and pizzicato over a hi-hat.

    Plucked attacks, glides of the bass and bars of 7/8.
    """
    s = Score(118, seed=5)
    guitar, bass, keys, marimba, pizzicato = 0, 1, 2, 3, 4
    s.player(guitar, STEEL_GUITAR, 104, pan=30, reverb=45)
    s.player(bass, FRETLESS_BASS, 112, pan=62, reverb=25)
    s.player(keys, E_PIANO, 90, pan=98, reverb=50)
    s.player(marimba, MARIMBA, 104, pan=80, reverb=60)
    s.player(pizzicato, PIZZICATO, 92, pan=14, reverb=75)
    s.player(DRUMS, 0, 88, reverb=35)
    for bar, (root, fifth, seventh, third) in enumerate(
        [("E", "B", "D", "G"), ("C", "G", "B", "E"), ("A", "E", "G", "C"), ("B", "F#", "A", "D")]
        + [("E", "B", "D", "G")]
    ):
        beat = bar * 3.5  # seven eighths
        if bar < 5:
            s.line(
                guitar,
                beat,
                f"{root}3/.5 {fifth}3/.5 {third}4/.5 {seventh}4/.5 "
                f"{fifth}4/.5 {third}4/.5 {seventh}3/.5",
                86,
                legato=1.6,
            )
            s.line(bass, beat, f"{root}2/1.5 {fifth}1/.5 {root}2/1 {seventh}2/.5", 92)
            s.bend(
                bass,
                (beat, -2),
                (beat + 0.18, 0),
                (beat + 2.5, 0),
                (beat + 2.9, 2),
                (beat + 3.2, 0),
            )
            s.line(
                keys, beat + 0.5, f"{third}4+{seventh}4/1 -/.5 {fifth}4+{seventh}4+{third}5/1", 70
            )
            s.hits(beat, CLOSED_HAT, "x.ox.ox.x.oxo.", 64)
            s.hits(beat, STICK, "....x.....x...", 70)
            s.hits(beat, KICK, "x......x......", 78)
    s.line(
        marimba,
        3.5,
        "G5/.25 E5/.25 B5/.5 G5/.25 C6/.25 B5/.5 G5/.5 E5/.5 D5/.5 E5/.25 G5/.25 A5/.5 C6/.5 E6/.5 "
        "D6/.25 C6/.25 A5/.5 G5/.5 F#5/.5 A5/.25 B5/.25 D6/.5 "
        "F#6/.5 E6/.5 D6/.5 B5/.5 E6/.25 B5/.25 G5/.25 E5/.25 B5/2",
        92,
    )
    s.line(
        pizzicato,
        10.5,
        "D5/.5 F#5/.5 A5/.5 B4/.5 D5/.5 F#5/.5 A5/.5 E5+B5/.5 -/.5 G5/.5 B5/.5 E6/1",
        84,
    )
    s.hits(17.5, CRASH, "x", velocity=60)
    s.line(guitar, 17.5, "E3+B3+G4+B4+E5/4", 88)
    s.line(bass, 17.5, "E1/4", 96)
    s.line(keys, 17.5, "D4+G4+B4+F#5/4", 72)
    return s


def phone() -> Score:
    """Electric piano, marimba, bass and drums: two bars of four, three times.

    `loop_with_ring` makes the sound of it.
    """
    s = Score(120, seed=6)
    keys, marimba, bass, pizzicato = 0, 1, 2, 3
    s.player(keys, E_PIANO, 100, pan=40, reverb=30)
    s.player(marimba, MARIMBA, 112, pan=92, reverb=30)
    s.player(bass, FRETLESS_BASS, 110, pan=62, reverb=10)
    s.player(pizzicato, PIZZICATO, 96, pan=24, reverb=40)
    s.player(DRUMS, 0, 92, reverb=15)
    for start in (0, 8, 16):  # the first one gives the second its reverberation
        s.line(keys, start, "C4+E4+G4+B4/1.5 A3+C4+E4+G4/2.5 F3+A3+C4+E4/1.5 G3+B3+D4+F4/2.5", 78)
        s.line(
            marimba,
            start,
            "E5/.5 G5/.5 B5/.5 C6/.5 A5/.25 G5/.25 E5/.5 C5/.5 G5/.5 "
            "F5/.5 A5/.5 C6/.5 E6/.5 D6/.25 B5/.25 G5/.5 D5/.5 B4/.5",
            90,
        )
        s.line(bass, start, "C2/1 C2/.5 A1/1.5 E2/.5 A1/.5 F2/1 F2/.5 G1/1.5 D2/.5 G1/.5", 94)
        s.line(pizzicato, start, "-/1 G4/.5 -/1.5 E4/.5 -/1.5 A4/.5 -/1.5 D5/.5 -/.5", 80)
        for bar in (0, 4):
            s.hits(start + bar, KICK, "X... ..x. X... ....", 88)
            s.hits(start + bar, SNARE, ".... X... .... X..o", 74)
            s.hits(start + bar, CLOSED_HAT, "x.xo x.xo x.xo x.xo", 64)
    return s


def repeat_loop(music: np.ndarray) -> np.ndarray:
    """(n, 2) samples in which the two bars of `phone` are the same to the sample, three times.

    fluidsynth's notes are some milliseconds early or late: the second two bars are repeated, as a
    sequencer repeats recorded loops.
    """
    length = round(LOOP_SECONDS * RATE)
    start = length - round(LOOP_AHEAD * RATE)
    return finish(np.tile(music[start : start + length], (3, 1)), 3 * LOOP_SECONDS)


def loop_with_ring(music: np.ndarray) -> np.ndarray:
    """(n, 2) samples of a loop in which a phone rings twice, at PEAK."""
    from atomizer.evaluation.foreign_sounds import RING_SECONDS, ring

    out = repeat_loop(music)
    one = ring(RATE, np.random.default_rng(0))
    one *= RING_LEVEL * np.sqrt((out**2).mean() / (one**2).mean())
    for start in (RING_START, RING_START + RING_SECONDS + RING_PAUSE):
        first = round(start * RATE)
        out[first : first + len(one)] += one[:, None]
    return out * PEAK / np.abs(out).max()


SOUNDS = {
    "phone": (phone, 12.0),
    "ensemble": (ensemble, 12.0),
    "solo": (solo, 12.0),
    "percussion": (percussion, 11.0),
    "voices": (voices, 12.0),
    "band": (band, 11.0),
}


FINISHED = {"phone": loop_with_ring}  # what follows the scores of some


def speak(text: str, voice: str = VOICE) -> tuple[np.ndarray, int]:
    """(n,) samples of a text, spoken by a voice of Festival, at PEAK; and their rate in Hz."""
    with tempfile.TemporaryDirectory() as folder:
        words, wav = Path(folder, "text.txt"), Path(folder, "text.wav")
        words.write_text(text)
        command = ["text2wave", "-eval", f"(voice_{voice})", "-o", str(wav), str(words)]
        subprocess.run(command, check=True)
        samples, rate = soundfile.read(wav)
    return samples * PEAK / np.abs(samples).max(), rate


def play(
    score: Score, soundfont: Path = SOUNDFONT, gain: float = 0.5, reverb: Sequence[str] = REVERB
) -> np.ndarray:
    """(n, 2) float64 samples of a score, rendered by fluidsynth in floats without clipping."""
    if not soundfont.is_file():
        raise SystemExit(
            f"{soundfont} is missing: install the Debian packages fluidsynth and "
            "fluid-soundfont-gm."
        )
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "score.mid"), Path(folder, "score.wav")
        midi.write_bytes(score.midi())
        command = ["fluidsynth", "-ni", "-q", "-r", str(RATE), "-g", str(gain), *reverb, *RENDER]
        command += ["-F", str(wav), str(soundfont), str(midi)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        samples, _ = soundfile.read(wav, always_2d=True)
    return samples


def finish(samples: np.ndarray, seconds: float) -> np.ndarray:
    """(n, 2) samples without leading silence and DC, of a length in seconds, faded, at PEAK."""
    samples = samples - samples.mean(0)
    first = int(np.argmax(np.abs(samples).max(1) > 1e-3 * np.abs(samples).max()))
    samples = samples[max(0, first - RATE // 50) :][: round(seconds * RATE)]
    samples = np.pad(samples, ((0, round(seconds * RATE) - len(samples)), (0, 0)))
    rise, fall = round(0.01 * RATE), round(1.2 * RATE)
    samples[:rise] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise))[:, None]
    samples[-fall:] *= (0.5 + 0.5 * np.cos(np.pi * (np.arange(fall) + 1) / fall))[:, None]
    return samples * PEAK / np.abs(samples).max()


def render(name: str, writes_midi: bool) -> tuple[np.ndarray, int]:
    """(n, 2) samples of a score, and their rate in Hz; its MIDI file can be written beside it."""
    compose, seconds = SOUNDS[name]
    score = compose()
    if writes_midi:
        (HERE / f"{name}.mid").write_bytes(score.midi())
    samples = finish(play(score), seconds)
    return FINISHED.get(name, np.asarray)(samples), RATE


def main() -> None:
    """Build all sounds, or one of them."""
    names = (*SOUNDS, "speech")
    parser = argparse.ArgumentParser(description="Build the example sounds.")
    parser.add_argument("--only", choices=names, help="build only this one")
    parser.add_argument("--midi", action="store_true", help="also write the MIDI files")
    arguments = parser.parse_args()
    for name in [arguments.only] if arguments.only else names:
        samples, rate = speak(SPEECH) if name == "speech" else render(name, arguments.midi)
        path = HERE / f"{name}.flac"
        soundfile.write(path, samples, rate, subtype="PCM_16")
        print(f"{path.name}  {len(samples) / rate:.2f} s  {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
