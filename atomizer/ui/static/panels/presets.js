// Presets: selections by a number or two, whose values can be changed while the picture follows.

/** name -> {unit, values: defaults, slider: [least, most, "log" or "linear"] of the first value, item(values, channels)}. */
export const PRESETS = {
  above: {
    unit: 'Hz',
    values: [8000],
    slider: [50, 20000, 'log'],
    item: ([f]) => ({ kind: 'rect', op: 'add', f: [f, null] }),
    title: 'Every atom above a frequency',
  },
  below: {
    unit: 'Hz',
    values: [200],
    slider: [50, 20000, 'log'],
    item: ([f]) => ({ kind: 'rect', op: 'add', f: [null, f] }),
    title: 'Every atom below a frequency',
  },
  time: {
    unit: 's',
    values: [2, 3],
    slider: [0, 'duration', 'linear'],
    item: ([a, b]) => ({ kind: 'rect', op: 'add', t: [a, b] }),
    title: 'Every atom of a span of time',
  },
  after: {
    unit: 's',
    values: [5],
    slider: [0, 'duration', 'linear'],
    item: ([t]) => ({ kind: 'rect', op: 'add', t: [t, null] }),
    title: 'Every atom after a moment',
  },
  channel: {
    unit: '',
    values: [0],
    slider: null,
    item: ([c]) => ({ kind: 'rect', op: 'add', channels: [c] }),
    title: 'Every atom of a channel',
  },
  random: {
    unit: '%',
    values: [50],
    slider: [0, 100, 'linear'],
    item: ([p]) => ({ part: 'random:' + p }),
    title: 'A random part of the audible atoms',
  },
  quietest: {
    unit: '%',
    values: [90],
    slider: [0, 100, 'linear'],
    item: ([p]) => ({ part: 'quietest:' + p }),
    title: 'The quietest part of the audible atoms',
  },
  loudest: {
    unit: '%',
    values: [5],
    slider: [0, 100, 'linear'],
    item: ([p]) => ({ part: 'loudest:' + p }),
    title: 'The loudest part of the audible atoms',
  },
  keep: {
    unit: '/ s',
    values: [2000],
    slider: [50, 40000, 'log'],
    item: ([n]) => ({ part: 'keep:' + n }),
    title: 'Everything but the loudest atoms, so many per second',
  },
};

/** A preset as an item that remembers what it was made of. Throws a sentence where the numbers make no sense. */
export function presetItem(name, values, channels) {
  const need = (ok, sentence) => {
    if (!ok) throw new Error(sentence);
  };
  const [first, second] = values;
  need(Number.isFinite(first) && first >= 0, 'Give a number that is not below 0.');
  if (name === 'time')
    need(Number.isFinite(second) && second > first, 'A time span ends after it starts.');
  if (name === 'channel') {
    need(
      Number.isInteger(first) && first < channels,
      channels === 1
        ? 'This sound has one channel, number 0.'
        : 'Channels are numbered 0 to ' + (channels - 1) + '.',
    );
  }
  const item = PRESETS[name].item(values, channels);
  if (item.part && name !== 'keep') need(first <= 100, 'A part is at most 100 percent.');
  return item;
}

/** {name, values} of an item that a preset could have made, or null. */
export function presetOf(item) {
  if (item.part) {
    const [name, value] = item.part.split(':');
    return PRESETS[name] ? { name, values: [Number(value)] } : null;
  }
  if (item.kind !== 'rect' || item.op === 'subtract' || item.everything) return null;
  const { t, f, channels } = item;
  if (f && !t && (f[0] == null) !== (f[1] == null))
    return f[1] == null ? { name: 'above', values: [f[0]] } : { name: 'below', values: [f[1]] };
  if (t && !f && t[0] != null)
    return t[1] == null ? { name: 'after', values: [t[0]] } : { name: 'time', values: [...t] };
  return channels && !t && !f ? { name: 'channel', values: [channels[0]] } : null;
}

/** Where a value lies on a slider from 0 to 1000, and back. */
export function sliderOf(name, duration) {
  const [low, most, scale] = PRESETS[name].slider,
    high = most === 'duration' ? duration : most;
  if (scale === 'log') {
    const span = Math.log(high / low);
    return {
      place: (value) => (1000 * Math.log(Math.max(value, low) / low)) / span,
      value: (place) => Number((low * Math.exp((place / 1000) * span)).toPrecision(3)),
    };
  }
  return {
    place: (value) => (1000 * (value - low)) / (high - low),
    value: (place) => +(low + (place / 1000) * (high - low)).toFixed(2),
  };
}
