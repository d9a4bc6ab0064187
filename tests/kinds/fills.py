"""Kinds of sound: what fills make of them."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
import soundfile
import soxr
from scipy.signal import resample_poly

from atomizer import Settings, Sound, fill, load_model, parse, prepare, read
from atomizer.evaluation.baselines.autoregression import janssen
from atomizer.inpainting.fill import last, needs_model
from atomizer.io.resources import ASSETS

from .registry import kind
from .signals import band, excess, hit, level, noise, octaves, pulses, tones

RATE = 44_100


@lru_cache(1)
def model():
    return load_model(device="cpu")


def filled(x, specs, rate=RATE, seed=1, erase=False, **options) -> np.ndarray:
    """(C, n) samples of the default fill."""
    specs = [specs] if isinstance(specs, str) else specs
    sound = Sound(np.atleast_2d(x).astype(np.float32), rate, "PCM_16")
    task = prepare(sound, parse([s for s in specs if s]), **options)
    if erase:
        return task.render(task.masked(0)).samples
    settings = Settings(seed=seed)
    network = model() if needs_model(task, settings) else None
    return task.render(last(fill(task, settings, network)).grid).samples


def spans(rate: int, starts, seconds: float) -> list[slice]:
    """Spans of samples, as whole samples."""
    count = round(seconds * rate)
    return [slice(round(s * rate), round(s * rate) + count) for s in starts]


def times(holes: list[slice], rate: int) -> list[str]:
    return [f"time:{s.start / rate!r}-{s.stop / rate!r}" for s in holes]


# --- levels of steady noise

SHORT = [
    {"ms": 10},
    {"ms": 15},
    {"ms": 40, "slope": -3},
    {"ms": 80, "slope": -6},
    {"ms": 120, "slope": -9},
    {"ms": 200, "slope": 3},
    {"ms": 60, "rate": 8000},
    {"ms": 90, "rate": 16_000, "slope": -3},
    {"ms": 25, "rate": 22_050},
    {"ms": 70, "rate": 48_000},
    {"ms": 30, "rate": 96_000},
    {"ms": 100, "channels": 3},
    {"ms": 100, "gain": -34},
    {"ms": 100, "gain": 12},
]


@kind("level of holes in steady noise, dB: mean over octaves", SHORT, -1, 1)
def short_holes(ms, slope=0, rate=RATE, channels=1, gain=0):
    x = np.stack([noise(3, rate, slope, c) for c in range(channels)]) * 10 ** (gain / 20)
    holes = spans(rate, 0.3 + 0.35 * np.arange(7), ms / 1000)
    bands = octaves(rate, max(200, 2000 / ms))
    return excess(x, filled(x, times(holes, rate), rate), rate, holes, bands)


LONG = [
    {"ms": 250},
    {"ms": 400, "slope": -3},
    {"ms": 700, "slope": -6},
    {"ms": 1000, "slope": -9},
    {"ms": 500, "slope": 3},
    {"ms": 500, "rate": 8000},
    {"ms": 500, "rate": 16_000, "slope": -3},
    {"ms": 500, "rate": 48_000},
    {"ms": 500, "rate": 96_000},
    {"ms": 500, "channels": 3},
    {"ms": 500, "gain": -34},
    {"ms": 500, "gain": 12},
]


@kind("level of a long hole in steady noise, dB: mean over octaves", LONG, -1, 1)
def long_holes(ms, slope=0, rate=RATE, channels=1, gain=0):
    x = np.stack([noise(4, rate, slope, c) for c in range(channels)]) * 10 ** (gain / 20)
    holes = spans(rate, [1.5], ms / 1000)
    return excess(x, filled(x, times(holes, rate), rate), rate, holes)


BOXES = [
    {"box": (500, 2000)},
    {"box": (1000, 8000), "slope": -3},
    {"box": (200, 900), "slope": -6},
    {"box": (4000, 15_000), "slope": -9},
    {"box": (4000, 15_000), "slope": -6},
    {"box": (2000, 3000), "slope": 3},
    {"box": (300, 3000), "rate": 8000},
    {"box": (1000, 6000), "rate": 48_000, "slope": -3},
    {"box": (5000, 9000), "rate": 96_000},
    {"box": (1000, 4000), "channels": 3},
    {"box": (1000, 4000), "gain": -34},
    {"box": (1000, 4000), "seconds": 0.2},
    {"box": (1000, 4000), "seconds": 2.0},
]


@kind("level of a box in steady noise, dB", BOXES, -1, 1)
def boxes(box, slope=0, rate=RATE, channels=1, gain=0, seconds=0.8):
    x = np.stack([noise(5, rate, slope, c) for c in range(channels)]) * 10 ** (gain / 20)
    low, high = box
    y = filled(x, f"rect:1.5,{1.5 + seconds},{low},{high}", rate)
    inner = (low * 1.1, high * 0.9)
    return excess(x, y, rate, spans(rate, [1.53], seconds - 0.06), [inner])


# --- what is predictable

TONES = [
    {"pitches": [1000], "ms": 50},
    {"pitches": [60], "ms": 100},
    {"pitches": [220, 277.18, 329.63], "ms": 100},
    {"pitches": [130.81, 155.56, 196, 233.08, 261.63], "ms": 100, "low": 20},
    {"pitches": [9000], "ms": 100},
    {"pitches": [440, 446], "ms": 100, "low": 20},
    {"pitches": [440], "ms": 100, "rate": 8000},
    {"pitches": [440, 554.37, 659.25], "ms": 80, "rate": 22_050},
    {"pitches": [440], "ms": 100, "rate": 96_000},
    {"pitches": [440], "ms": 60, "start": 0.05},
    {"pitches": [440], "ms": 100, "gain": -34},
    {"pitches": [440, 443], "ms": 100},
    {"pitches": [1000], "ms": 300, "low": 15},
    {"pitches": [220, 277.18, 329.63], "ms": 300, "low": 15},
    {"pitches": [440], "ms": 300, "rate": 16_000, "low": 15},
    {"pitches": [440], "ms": 50, "vibrato": 30, "low": 15},
    {"pitches": [440], "ms": 50, "vibrato": 100, "low": 10},
]


@kind("SNR of tones through a hole, dB", TONES, 30)
def tones_through_holes(pitches, ms, rate=RATE, vibrato=0, start=1.5071, gain=0):
    x = tones(3, rate, pitches, vibrato)[None] * 10 ** (gain / 20)
    (hole,) = spans(rate, [start], ms / 1000)
    y = filled(x, times([hole], rate), rate)
    return level(x[:, hole]) - level((y - x)[:, hole])


PULSES = [
    {"hertz": 50, "ms": 40},
    {"hertz": 60, "ms": 50},
    {"hertz": 70, "ms": 100},
    {"hertz": 80, "ms": 30},
    {"hertz": 95, "ms": 50},
    {"hertz": 110, "ms": 50},
    {"hertz": 140, "ms": 100},
    {"hertz": 220, "ms": 100},
    {"hertz": 60, "ms": 50, "rate": 16_000},
    {"hertz": 80, "ms": 50, "rate": 8000},
    {"hertz": 80, "ms": 50, "rate": 48_000},
]


@kind("SNR of trains of impulses through a hole, dB", PULSES, 20)
def pulses_through_holes(hertz, ms, rate=RATE):
    x = pulses(3, rate, hertz)[None]
    (hole,) = spans(rate, [1.5071], ms / 1000)
    y = filled(x, times([hole], rate), rate)
    return level(x[:, hole]) - level((y - x)[:, hole])


CLICKS = [
    {"ms": 0.5},
    {"ms": 1},
    {"ms": 2},
    {"ms": 5},
    {"ms": 8},
    {"ms": 3, "rate": 8000},
    {"ms": 3, "rate": 16_000},
    {"ms": 3, "rate": 48_000},
    {"ms": 3, "source": "noise"},
    {"ms": 3, "source": "pulses"},
    {"ms": 3, "source": "band"},
    {"ms": 3, "source": "voices"},
    {"ms": 3, "source": "percussion"},
]


@kind("error of ten clicks against a plain AR(64), dB", CLICKS, high=0.3)
def clicks(ms, rate=RATE, source="tones"):
    if source in ("band", "voices", "percussion"):
        x = read(ASSETS / f"{source}.flac", start=1, seconds=2).samples[:1].astype(float)
    elif source == "noise":
        x = noise(2, rate, -3)[None]
    elif source == "pulses":
        x = pulses(2, rate, 110)[None]
    else:
        x = tones(2, rate, [220.0 * k for k in range(1, 8)])[None] + 0.1 * noise(2, rate)
    holes = spans(rate, 0.2 + 0.16 * np.arange(10), ms / 1000)
    clicked, plain = x.copy(), x.copy()
    for s in holes:
        clicked[:, s] = 0.9
        plain[0, s] = janssen(x[0], s.start, s.stop, 64, 1)
    y = filled(clicked, times(holes, rate), rate)
    mine, theirs = (np.concatenate([(v - x)[:, s] for s in holes], 1) for v in (y, plain))
    return level(mine) - level(theirs)


# --- stereo image

IMAGE = [
    {"gains": (1, 1)},
    {"gains": (1, -1)},
    {"gains": (1, 0.25)},
    {"gains": (0.1, 1), "slope": -3},
    {"gains": (1, 1, 1)},
    {"gains": (1, -0.5, 0.2)},
    {"gains": (1, 0.5), "rate": 16_000},
    {"gains": (1, 0.5), "rate": 96_000},
    {"gains": (1, 0.7), "selected": "time:1.5-1.56"},
    {"gains": (1, 0.7), "selected": "rect:1.5,2,1000,5000"},
    {"gains": (1, 0.7, -0.3), "selected": "rect:1.5,2,300,3000"},
    {"gains": (1, 0.7), "extend": 0.6},
    {"gains": (1, 0.5, 0.25, 0.5, 1), "selected": "time:1.5-1.9"},
]


@kind("what lies beside the position of one source, dB", IMAGE, high=-30)
def position_of_a_source(gains, slope=0, rate=RATE, selected="time:1.5-2", extend=0.0):
    x = np.outer(gains, noise(3, rate, slope))
    y = filled(x, "" if extend else selected, rate, **({"extend": extend} if extend else {}))
    y = y[:, 3 * rate :] if extend else y[:, round(1.5 * rate) : round(1.9 * rate)]
    along = np.asarray(gains) / np.linalg.norm(gains)
    return level(y - np.outer(along, along @ y)) - level(y)


CORRELATION = [
    {"shared": 0.3},
    {"shared": 0.7},
    {"shared": 0.95},
    {"shared": -0.5},
    {"shared": 0.0},
    {"shared": 0.6, "slope": -3},
    {"shared": 0.6, "rate": 16_000},
    {"shared": 0.6, "rate": 48_000},
    {"shared": 0.6, "selected": "time:1.5-1.65"},
    {"shared": 0.6, "selected": "time:1.5-3"},
    {"shared": 0.6, "selected": "rect:1.5,2.5,500,8000"},
]


@kind("correlation of channels less that of the surroundings", CORRELATION, -0.05, 0.05)
def correlation_of_channels(shared, slope=0, rate=RATE, selected="time:1.5-2.3"):
    one, two, three = (noise(4.5, rate, slope, seed) for seed in range(3))
    mix, own = np.sqrt(abs(shared)), np.sqrt(1 - abs(shared))
    x = np.stack([mix * one + own * two, np.sign(shared) * mix * one + own * three])
    y = filled(x, selected, rate)
    start, end = (float(v) for v in selected.split(":")[1].replace("-", ",").split(",")[:2])
    parts = slice(round(start * rate), round(end * rate))
    low, high = (600, 7000) if "rect" in selected else (200, 0.4 * rate)
    p, q = (band(v, rate, low, high) for v in (x, y))
    return float(np.corrcoef(q[:, parts])[0, 1] - np.corrcoef(p)[0, 1])


MUSIC = [
    {"name": name, "selected": selected}
    for name in ("band", "ensemble", "voices", "solo", "percussion")
    for selected in ("time:4-4.4", "rect:4,5,500,8000")
]
MUSIC[2]["known"] = "a plain copy has the image of its own place"


@kind("error of the correlation of octaves in music beyond that of the truth", MUSIC, high=0.05)
def correlation_in_music(name, selected):
    """Of octaves, because that of all of them depends on which of them is loud."""
    sound = read(ASSETS / f"{name}.flac", start=0, seconds=9)
    x, rate = sound.samples, sound.rate
    y = filled(x, selected, rate)
    end = float(selected.split(":")[1].replace("-", ",").split(",")[1])
    inside = slice(4 * rate, round(end * rate))
    errors = []
    for edges in octaves(rate, *((600, 7000) if "rect" in selected else (50, 18_000))):
        p, q = (band(v, rate, *edges) for v in (x, y))
        around = [p[:, 3 * rate : 4 * rate], p[:, inside.stop : inside.stop + rate]]
        parts = np.concatenate(around, 1), p[:, inside], q[:, inside]
        near, truth, got = (np.corrcoef(v)[0, 1] for v in parts)
        errors.append(abs(got - near) - abs(truth - near))
    return float(np.mean(errors))


@kind(
    "loudest sample of a silent channel, dB",
    [
        {"selected": "above:8000"},
        {"selected": "above:3000"},
        {"selected": "above:auto", "rate": 16_000},
        {"selected": "above:4000", "rate": 8000},
        {"selected": "below:100"},
        {"selected": "below:500", "slope": -3},
        {"selected": "time:1-1.5"},
        {"selected": "time:1-1.05"},
        {"selected": "rect:1,1.5,500,5000"},
        {"selected": "above:8000", "rate": 96_000},
        {"selected": "above:8000", "channels": 3},
        {"selected": "", "extend": 1.0},
    ],
    high=-120,
)
def silent_channels(selected, rate=RATE, slope=0, channels=2, extend=0.0):
    x = np.stack([noise(2.5, rate, slope)] + [np.zeros(round(2.5 * rate))] * (channels - 1))
    y = filled(x, selected, rate, **({"extend": extend} if extend else {}))
    return 20 * np.log10(np.abs(y[1:]).max() + 1e-9)


@kind(
    "difference of left and right of a mono sound, dB, and their mean",
    [
        {"source": "noise", "rate": rate, "slope": slope}
        for rate in (8000, 16_000, 22_050, 44_100, 48_000, 96_000)
        for slope in (0, -3)
        if rate < 48_000 or not slope
    ]
    + [{"source": name} for name in ("band", "voices")],
    -0.5,
    0.5,
)
def centre_of_a_mono_sound(source, rate=RATE, slope=0):
    x = noise(2, rate, slope)[None]
    if source != "noise":
        x = read(ASSETS / f"{source}.flac", start=2, seconds=2).samples.mean(0)[None]
    x = np.round(x * 2**15) / 2**15
    y = filled(x, "", rate, add_channels=1)
    if not np.array_equal(y.mean(0), x[0].astype(np.float32)):
        return np.inf
    return level(y[0]) - level(y[1])


# --- highs

HIGHS = [
    {"slope": -3, "hertz": 3000},
    {"slope": -3, "hertz": 10_000},
    {"slope": 0, "hertz": 6000},
    {"slope": -4.5, "hertz": 8000},
    {"slope": -6, "hertz": 6000},
    {"slope": -6, "hertz": 12_000},
    {"slope": -9, "hertz": 6000},
    {"slope": -12, "hertz": 6000, "low": -np.inf},  # below -95 dB: silence is right, hiss is not
    {"slope": -3, "hertz": 5000, "rate": 22_050},
    {"slope": -3, "hertz": 8000, "rate": 48_000},
    {"slope": -3, "hertz": 8000, "channels": 3},
    {"slope": -3, "hertz": 8000, "gain": -34},
]


@kind("level of highs filled in, dB", HIGHS, -2, 2)
def highs(slope, hertz, rate=RATE, channels=1, gain=0):
    x = np.stack([noise(3, rate, slope, c) for c in range(channels)]) * 10 ** (gain / 20)
    y, y_rate = filled_highs(x, hertz, rate)
    top = rate if y_rate == rate else 0.48 * rate  # what a low rate lacks is added above
    p, q = (band(v, r, 1.06 * hertz, top)[:, r // 2 : -r // 2] for v, r in ((x, rate), (y, y_rate)))
    return level(q) - level(p)


def filled_highs(x, hertz, rate, seed=1):
    """Samples (C, n) of filled highs, and their rate, which is higher than a low one."""
    count = x.shape[1]
    y = filled(x, f"above:{hertz}", rate, seed)
    return y, max(rate, round(rate * y.shape[1] / count))


@kind(
    "level of the first and last 25 ms of highs against the middle, dB: mean of three",
    [v for v in HIGHS if v["slope"] > -12],
    -2,
    2,
)
def ends_of_highs(slope, hertz, rate=RATE, channels=1, gain=0):
    out = []
    for seed in range(3):
        x = np.stack([noise(1.5, rate, slope, 10 * seed + c) for c in range(channels)])
        y, y_rate = filled_highs(x * 10 ** (gain / 20), hertz, rate, seed)
        q, end = band(y, y_rate, 1.06 * hertz, y_rate), round(0.025 * y_rate)
        out += [level(q[:, :end]), level(q[:, -end:])]
        out[-2:] = np.array(out[-2:]) - level(q[:, y_rate // 3 : -y_rate // 3])
    return float(np.mean(out))


LOW_RATES = [
    {"by": "soxr", "to": 8000},
    {"by": "soxr", "to": 11_025},
    {"by": "soxr", "to": 32_000},
    {"by": "polyphase", "to": 16_000},
    {"by": "polyphase", "to": 24_000},
    {"by": "polyphase", "to": 22_050, "selected": "above:11000"},
    {"by": "polyphase", "to": 8000, "selected": "above:3400"},
    {"by": "polyphase", "to": 16_000, "selected": "above:8300"},
    {"by": "soxr", "to": 12_000},
    {"by": "mp3", "to": 44_100},
    {"by": "vorbis", "to": 44_100},
    {"by": "opus", "to": 48_000},
]


@kind("level of highs added to files of low rates, dB", LOW_RATES, -2, 2)
def low_rates(by, to, selected="above:auto"):
    x = noise(4, RATE, -3)[None]
    rate, common = RATE, int(np.gcd(RATE, to))
    if by == "soxr":
        low, rate = soxr.resample(x.T, RATE, to).T, to
    elif by == "polyphase":
        low, rate = resample_poly(x, to // common, RATE // common, axis=1), to
    else:
        kinds = {"mp3": ("MP3", None, 0.8), "vorbis": ("OGG", "VORBIS", 0.95)}
        format_, subtype, compression = kinds.get(by, ("OGG", "OPUS", 0.99))
        file, low = io.BytesIO(), resample_poly(x, to // common, RATE // common, axis=1)
        soundfile.write(file, low.T, to, subtype, format=format_, compression_level=compression)
        file.seek(0)
        low, rate = soundfile.read(file, dtype="float64", always_2d=True)
        low = low.T
    task = prepare(Sound(low.astype(np.float32), rate, "PCM_16"), parse([selected]))
    y = task.render(last(fill(task, Settings(seed=1), model())).grid)
    first = task.cutoff.end_hz if task.cutoff else float(selected.split(":")[1])
    # relative to the octave below, which a codec of 9 kbit/s makes 3 dB quieter
    bands = (1.05 * first, min(2 * first, 0.49 * RATE)), (0.45 * first, 0.85 * first)
    at = [
        [level(band(v, r, *edges)[:, r:-r]) for v, r in ((x, RATE), (y.samples, y.rate))]
        for edges in bands
    ]
    return at[0][1] - at[0][0] - (at[1][1] - at[1][0])


# --- erasing at every level and rate

LEVELS = [{"gain": gain, "selected": "above:8000"} for gain in (12, 6, 0, -12, -26, -40)]
LEVELS += [{"gain": gain, "selected": "time:1-1.3"} for gain in (12, -40)]
LEVELS += [{"gain": gain, "selected": "rect:1,1.5,500,4000"} for gain in (12, -40)]
LEVELS += [{"gain": gain, "selected": "below:300"} for gain in (12, -40)]


@kind(
    "result at a level, scaled, against that at -20 dB: difference of levels, dB", LEVELS, -0.3, 0.3
)
def independence_of_level(gain, selected):
    x = 0.1 * np.tanh(
        6 * np.sin(2 * np.pi * 220 * np.arange(2 * RATE) / RATE) + 20 * noise(2, RATE)
    )
    a = filled(x, selected)
    b = filled(x * 10 ** ((gain + 20) / 20), selected) / 10 ** ((gain + 20) / 20)
    return excess(a, b, RATE, [slice(0, 2 * RATE)])


ERASED = [
    {"rate": rate, "selected": selected, "hertz": hertz}
    for rate, hertz in ((48_000, 23_500), (88_200, 30_000), (96_000, 40_000), (192_000, 60_000))
    for selected in ("above:8000", "time:1-1.3", "above:23000", "rect:1,1.3,5000,90000")
    if rate > 48_000 or "2300" not in selected
]


@kind("what is left of a tone above the atoms, dB", ERASED, high=-35)
def sound_above_the_atoms(rate, selected, hertz):
    t = np.arange(2 * rate) / rate
    x = (0.1 * np.sin(2 * np.pi * 1000 * t) + 0.1 * np.sin(2 * np.pi * hertz * t))[None]
    y = filled(x, selected, rate, erase=True)
    part = slice(round(1.05 * rate), round(1.25 * rate))
    p, q = (band(v, rate, 20_000, rate)[:, part] for v in (x, y))
    return level(q) - level(p)


@kind(
    "peak of a click of one sample after its span was filled, above the noise's, dB",
    [
        {"rate": rate, "ms": ms}
        for rate in (22_050, 44_100, 48_000, 88_200, 96_000, 192_000)
        for ms in (2, 20)
    ],
    high=3,
)
def clicks_at_high_rates(rate, ms):
    x = 0.02 * noise(2, rate, -3)[None]
    clicked, at = x.copy(), rate + 11
    clicked[0, at] += 0.9
    hole = slice(at - round(ms / 2000 * rate), at + round(ms / 2000 * rate))
    y = filled(clicked, times([hole], rate), rate)
    return 20 * np.log10(np.abs(y[:, hole]).max() / np.abs(x).max())


REACH = [
    {"rate": rate, "ms": ms, "channels": channels, "start": start}
    for rate, ms, channels, start in (
        (8000, 30, 1, 0.5),
        (11_025, 300, 2, 0.5),
        (16_000, 100, 1, 0.03),
        (22_050, 400, 1, 0.5),
        (32_000, 20, 3, 0.5),
        (44_100, 3, 1, 0.5),
        (44_100, 600, 6, 0.4),
        (48_000, 250, 1, 0.01),
        (88_200, 150, 2, 0.5),
        (96_000, 500, 1, 0.5),
        (192_000, 210, 1, 0.5),
    )
]


@kind("samples changed outside of a hole", REACH, 0, 0)
def reach_of_a_hole(rate, ms, channels, start):
    x = np.stack([noise(1.5, rate, -3, c) for c in range(channels)]).astype(np.float32)
    (hole,) = spans(rate, [start], ms / 1000)
    changed = filled(x, times([hole], rate), rate) != x
    if not changed[:, hole].any(1).all():
        return np.inf
    changed[:, hole] = False
    return changed.sum()


SEEDS = [{"ms": ms} for ms in (15, 30, 60, 100, 180, 250, 500)]
SEEDS += [{"ms": 60, "rate": 16_000}, {"ms": 60, "channels": 2}, {"ms": 60, "slope": -6}]


@kind("difference of seeds relative to the noise, dB", SEEDS, -12)
def seeds(ms, rate=RATE, channels=1, slope=0):
    x = np.stack([noise(2, rate, slope, c) for c in range(channels)])
    (hole,) = spans(rate, [1], ms / 1000)
    a, b, c = (filled(x, times([hole], rate), rate, seed)[:, hole] for seed in range(3))
    return min(level(one - other) for one, other in ((a, b), (a, c), (b, c))) - level(x)


# --- levels over time

PAUSES = [
    {"ms": 10, "gap": 0.1},
    {"ms": 30, "gap": 0.1},
    {"ms": 100, "gap": 0.05},
    {"ms": 150, "gap": 0.03},
    {"ms": 300, "gap": 0.1},
    {"ms": 300, "gap": 0.2, "floor": -60},
    {"ms": 500, "gap": 0.1},
    {"ms": 300, "gap": 0.1, "what": "tone"},
    {"ms": 60, "gap": 0.1, "what": "tone"},
    {"ms": 300, "gap": 0.1, "rate": 16_000},
    {"ms": 300, "gap": 0.1, "side": "before"},
    {"ms": 60, "gap": 0.1, "side": "before"},
    {"ms": 300, "gap": 0.1, "slope": -3},
    {"ms": 800, "gap": 0.1, "what": "tone"},
    {"ms": 800, "gap": 0.1},
]


@kind("level of a hole in a pause beside an attack or a stop, dB", PAUSES, -2, 2)
def pauses(ms, gap, what="drum", rate=RATE, side="after", floor=-60, slope=0):
    x = noise(3, rate, slope)[None] * 10 ** ((floor + 26) / 20)
    (hole,) = spans(rate, [1.5], ms / 1000)
    loud, at = x.copy(), hole.stop + round(gap * rate)
    sound = hit(0.5, rate) if what == "drum" else 4 * tones(0.5, rate, [440.0])
    if side == "before":
        at = hole.start - round(gap * rate) - len(sound)
        sound = 4 * tones(0.5, rate, [440.0, 900.0])
    loud[0, at : at + len(sound)] += sound
    y = filled(loud, times([hole], rate), rate)
    bands = octaves(rate, 400)
    return (
        excess(x, y, rate, [slice(hole.start, hole.stop)], bands)
        if ms > 30
        else (level(y[:, hole]) - level(x))
    )


COUGHS = [
    {"gain": 3},
    {"gain": 30},
    {"gain": 10, "selected": "time:1.6-2.1"},
    {"gain": 10, "pause": 0.35},
    {"gain": 10, "pause": 0.8},
    {"gain": 10, "floor": 0.03},
    {"gain": 10, "floor": 0.003},
    {"gain": 10, "rate": 16_000, "selected": "rect:1.6,2.1,200,7000"},
    {"gain": 10, "rate": 48_000},
    {"gain": 10, "selected": "rect:1.62,2.08,500,6000"},
    {"gain": 10, "slope": -3},
]


@kind("level left in a pause where a cough was, dB", COUGHS, -3, 3)
def coughs(gain, selected="rect:1.6,2.1,200,9000", pause=0.45, floor=0.01, rate=RATE, slope=0):
    t = np.arange(4 * rate) / rate
    x = noise(4, rate, slope) * np.where(np.abs(t - 1.85) < pause, floor, 1)
    burst = band(noise(4, rate, 0, 1), rate, 1000, 4000) * np.clip(1 - np.abs(t - 1.85) / 0.2, 0, 1)
    y = filled((x + gain * burst)[None], selected, rate)
    p, q = (band(v, rate, 600, 5500) for v in (x[None], y))
    part = slice(round(1.65 * rate), round(2.05 * rate))
    return level(q[:, part]) - level(p[:, part])


WHISTLES = [
    {"hertz": 3000, "half": 150},
    {"hertz": 3000, "half": 100},
    {"hertz": 3000, "half": 60},
    {"hertz": 1000, "half": 100},
    {"hertz": 1000, "half": 60},
    {"hertz": 6000, "half": 150},
    {"hertz": 3000, "half": 150, "vibrato": 30},
    {"hertz": 3000, "half": 150, "rate": 16_000},
    {"hertz": 3000, "half": 150, "rate": 48_000},
    {"hertz": 3000, "half": 150, "over": "band"},
    {"hertz": 2500, "half": 100, "over": "voices"},
    {"hertz": 3000, "half": 300, "gain": 20},
]


@kind("level of a tight box around a whistle against the sound below it, dB", WHISTLES, high=2)
def whistles(hertz, half, rate=RATE, vibrato=0, over="noise", gain=10):
    n = 4 * rate
    x = noise(4, rate, -3)[None]
    if over != "noise":
        x = read(ASSETS / f"{over}.flac", start=1, seconds=4).samples[:1].astype(float)
    t = np.arange(n) / rate
    inside = np.clip((0.5 - np.abs(t - 2)) / 0.02, 0, 1)
    low, high = hertz - half, hertz + half
    whistle = tones(4, rate, [hertz], vibrato) * inside
    around = band(x, rate, low, high)
    whistle *= 10 ** ((level(around) + gain - level(whistle)) / 20)
    y = filled(x + whistle, f"rect:1.45,2.55,{low},{high}", rate)
    part = slice(round(1.55 * rate), round(2.45 * rate))
    got, was = (band(v, rate, low - half, high + half)[:, part] for v in (y, x))
    return level(got) - level(was)


FADES = [
    {"slope": -6, "seconds": 2},
    {"slope": -10, "seconds": 2},
    {"slope": -30, "seconds": 1},
    {"slope": -15, "seconds": 3},
    {"slope": -12, "seconds": 2, "rate": 16_000},
    {"slope": -12, "seconds": 2, "rate": 48_000},
    {"slope": -12, "seconds": 2, "channels": 2},
    {"slope": -12, "seconds": 2, "noise_slope": 0},
    {"slope": -12, "seconds": 2, "gain": -34},
    {"slope": -3, "seconds": 2},
    {"slope": -2, "seconds": 3},
    {"slope": -40, "seconds": 0.5},
]


@kind("level of the continuation of a fade, dB", FADES, -2.5, 2.5)
def fades(slope, seconds, rate=RATE, channels=1, noise_slope=-3, gain=0):
    t = np.arange(5 * rate) / rate
    whole = np.stack([noise(5, rate, noise_slope, c) for c in range(channels)])
    whole = whole * 10 ** (gain / 20)
    factor = 10 ** (slope / 20 * np.clip(t - (4 - seconds), 0, None))
    y = filled((whole * factor)[:, : 4 * rate], "", rate, extend=1.0)
    parts = [slice(round(s * rate), round((s + 0.45) * rate)) for s in (4.0, 4.5)]
    bands = octaves(rate)
    return max(
        (excess(whole, y[..., : 5 * rate] / factor, rate, [s], bands) for s in parts), key=abs
    )


CONTINUED = [
    {"slope": -3, "extend": 0.5},
    {"slope": -3, "extend": 6.0},
    {"slope": 0, "extend": 3.0},
    {"slope": -6, "extend": 3.0},
    {"slope": 3, "extend": 3.0},
    {"slope": -3, "extend": 3.0, "rate": 8000},
    {"slope": -3, "extend": 3.0, "rate": 22_050},
    {"slope": -3, "extend": 3.0, "rate": 48_000},
    {"slope": -3, "extend": 3.0, "channels": 3},
    {"slope": -3, "extend": 3.0, "gain": -34},
    {"slope": -3, "hole": 5.0},
    {"slope": 0, "hole": 12.0},
]


@kind("level of a long continuation or hole, of the worst part, dB", CONTINUED, -2, 2)
def far_from_everything(slope, extend=0.0, hole=0.0, rate=RATE, channels=1, gain=0):
    x = np.stack([noise(4 + 2 * hole, rate, slope, c) for c in range(channels)])
    x = x * 10 ** (gain / 20)
    start = 4 if extend else 2
    y = filled(x, "" if extend else f"time:2-{2 + hole}", rate, extend=extend)
    length = extend or hole
    edges = np.linspace(start, start + length, max(2, min(7, round(length / 0.5))))
    parts = [slice(round(a * rate), round(b * rate)) for a, b in zip(edges, edges[1:])]
    last = round((start + length - 0.02) * rate)  # an extension ends with a fade of 20 ms
    parts.append(slice(last - round(0.03 * rate), last))
    bands = octaves(rate, 400)
    return max((excess(x, y, rate, [s], bands) for s in parts), key=abs)
