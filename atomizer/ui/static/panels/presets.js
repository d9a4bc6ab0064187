// Presets: selections by one or two numbers, which can be changed while the picture follows.

/** @typedef {import('../types').Item} Item */

/**
 * @typedef {object} Preset
 * @property {string} unit
 * @property {number[]} values defaults
 * @property {[number, number | 'duration', 'log' | 'linear'] | null} slider lowest and highest
 *   first value, and the scale
 * @property {(values: number[]) => Item} item
 * @property {string} title
 */

/** @type {Record<string, Preset>} */
export const PRESETS = {
  above: {
    unit: 'Hz',
    values: [8000],
    slider: [50, 20000, 'log'],
    item: ([f]) => ({ kind: 'rect', op: 'add', f: [f, null] }),
    title: 'All atoms above a frequency',
  },
  below: {
    unit: 'Hz',
    values: [200],
    slider: [50, 20000, 'log'],
    item: ([f]) => ({ kind: 'rect', op: 'add', f: [null, f] }),
    title: 'All atoms below a frequency',
  },
  time: {
    unit: 's',
    values: [2, 3],
    slider: [0, 'duration', 'linear'],
    item: ([a, b]) => ({ kind: 'rect', op: 'add', t: [a, b] }),
    title: 'All atoms in a span of time',
  },
  after: {
    unit: 's',
    values: [5],
    slider: [0, 'duration', 'linear'],
    item: ([t]) => ({ kind: 'rect', op: 'add', t: [t, null] }),
    title: 'All atoms after a moment',
  },
  channel: {
    unit: '',
    values: [0],
    slider: null,
    item: ([c]) => ({ kind: 'rect', op: 'add', channels: [c] }),
    title: 'All atoms of a channel',
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
    title: 'The quietest audible atoms',
  },
  loudest: {
    unit: '%',
    values: [5],
    slider: [0, 100, 'linear'],
    item: ([p]) => ({ part: 'loudest:' + p }),
    title: 'The loudest audible atoms',
  },
  keep: {
    unit: '/ s',
    values: [2000],
    slider: [50, 40000, 'log'],
    item: ([n]) => ({ part: 'keep:' + n }),
    title: 'Everything except the loudest atoms; the number is per second',
  },
};

/** The item of a preset. Throws an error with a sentence for the user if a value is invalid.
 * @param {string} name
 * @param {number[]} values
 * @param {number} channels of the sound */
export function presetItem(name, values, channels) {
  /** @param {boolean} ok
   * @param {string} sentence */
  const check = (ok, sentence) => {
    if (!ok) throw new Error(sentence);
  };
  const [first, second] = values;
  check(Number.isFinite(first) && first >= 0, 'Please enter a number of 0 or more.');
  if (name === 'time')
    check(Number.isFinite(second) && second > first, 'The end must come after the start.');
  if (name === 'channel') {
    check(
      Number.isInteger(first) && first < channels,
      channels === 1
        ? 'This sound has one channel, number 0.'
        : 'Channels are numbered 0 to ' + (channels - 1) + '.',
    );
  }
  const item = PRESETS[name].item(values);
  if (item.part && name !== 'keep') check(first <= 100, 'Please enter at most 100 percent.');
  return item;
}

/** Name and values of the preset that makes an item; null if none does.
 * @param {Item} item */
export function presetOf(item) {
  if (item.part) {
    const [name, value] = item.part.split(':');
    return PRESETS[name] ? { name, values: [Number(value)] } : null;
  }
  if (item.kind !== 'rect' || item.op === 'subtract' || item.everything) return null;
  const { t, f, channels } = item;
  if (f && !t) {
    const [low, high] = f;
    if (low != null && high == null) return { name: 'above', values: [low] };
    if (low == null && high != null) return { name: 'below', values: [high] };
  }
  if (t && !f && t[0] != null)
    return t[1] == null
      ? { name: 'after', values: [t[0]] }
      : { name: 'time', values: [t[0], t[1]] };
  return channels && !t && !f ? { name: 'channel', values: [channels[0]] } : null;
}

/** Functions from the value of a preset to its slider (0 to 1000) and back.
 * @param {string} name
 * @param {number} duration of the sound in seconds */
export function sliderOf(name, duration) {
  const [low, limit, scale] = PRESETS[name].slider ?? [0, 1, 'linear'];
  const high = limit === 'duration' ? duration : limit;
  const span = Math.log(high / low);
  if (scale === 'log')
    return {
      toSlider: (/** @type {number} */ value) =>
        (1000 * Math.log(Math.max(value, low) / low)) / span,
      fromSlider: (/** @type {number} */ position) =>
        Number((low * Math.exp((position / 1000) * span)).toPrecision(3)),
    };
  return {
    toSlider: (/** @type {number} */ value) => (1000 * (value - low)) / (high - low),
    fromSlider: (/** @type {number} */ position) =>
      +(low + (position / 1000) * (high - low)).toFixed(2),
  };
}
