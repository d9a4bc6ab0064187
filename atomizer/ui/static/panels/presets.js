// Presets: selections by one or two numbers, which can be changed while the picture follows.

/** @typedef {import('../types').Item} Item */

/**
 * A preset: everything about it is in its row of `PRESETS`.
 * @typedef {object} Preset
 * @property {string} title
 * @property {string} [label] in the menu, where the name does not say enough
 * @property {string} unit
 * @property {number[]} values defaults, one or two
 * @property {[string, string]} [between] the word between two values, and what the second is; by
 *   default those of a span of time
 * @property {[number, number | 'duration', 'log' | 'linear'] | null} slider lowest and highest
 *   first value, and the scale
 * @property {(values: number[]) => Item} item
 * @property {(values: number[], channels: number) => string} [problem] sentence about invalid
 *   values, "" for valid ones
 * @property {(item: Item) => number[] | null} valuesOf values of an item that it could have made
 */

/** @param {number[]} values */
const aboveHundred = ([percent]) => (percent > 100 ? 'Please enter at most 100 percent.' : '');

/** The rows of parts: their item is named after them.
 * @param {string} name
 * @param {Omit<Preset, 'item' | 'valuesOf'>} row
 * @returns {Preset} */
const partPreset = (name, row) => ({
  ...row,
  item: ([value]) => ({ part: name + ':' + value }),
  valuesOf: ({ part }) => (part?.startsWith(name + ':') ? [Number(part.split(':')[1])] : null),
});

/** The rows of parts in percent of the audible atoms.
 * @param {string} name
 * @param {string} title
 * @param {number} percent
 * @returns {Preset} */
const percentPreset = (name, title, percent) =>
  partPreset(name, {
    title,
    unit: '%',
    values: [percent],
    slider: [0, 100, 'linear'],
    problem: aboveHundred,
  });

/** Limits of a box that has no others; null for another item.
 * @param {Item} item
 * @param {'t' | 'f' | 'channels'} field */
export function onlyLimit(item, field) {
  if (item.kind !== 'rect' || item.op === 'subtract' || item.everything) return null;
  const isOther = (/** @type {'t' | 'f'} */ name) => name !== field && item[name];
  return isOther('t') || isOther('f') ? null : (item[field] ?? null);
}

/** @type {Record<string, Preset>} */
export const PRESETS = {
  above: {
    title: 'All atoms above a frequency',
    unit: 'Hz',
    values: [8000],
    slider: [50, 20000, 'log'],
    item: ([f]) => ({ kind: 'rect', op: 'add', f: [f, null] }),
    valuesOf(item) {
      const [low, high] = onlyLimit(item, 'f') ?? [];
      return low != null && high == null ? [low] : null;
    },
  },
  below: {
    title: 'All atoms below a frequency',
    unit: 'Hz',
    values: [200],
    slider: [50, 20000, 'log'],
    item: ([f]) => ({ kind: 'rect', op: 'add', f: [null, f] }),
    valuesOf(item) {
      const [low, high] = onlyLimit(item, 'f') ?? [];
      return low == null && high != null ? [high] : null;
    },
  },
  time: {
    title: 'All atoms in a span of time',
    unit: 's',
    values: [2, 3],
    slider: [0, 'duration', 'linear'],
    item: ([a, b]) => ({ kind: 'rect', op: 'add', t: [a, b] }),
    problem: ([start, end]) =>
      Number.isFinite(end) && end > start ? '' : 'The end must come after the start.',
    valuesOf(item) {
      const [start, end] = onlyLimit(item, 't') ?? [];
      return start != null && end != null ? [start, end] : null;
    },
  },
  after: {
    title: 'All atoms after a moment',
    unit: 's',
    values: [5],
    slider: [0, 'duration', 'linear'],
    item: ([t]) => ({ kind: 'rect', op: 'add', t: [t, null] }),
    valuesOf(item) {
      const [start, end] = onlyLimit(item, 't') ?? [];
      return start != null && end == null ? [start] : null;
    },
  },
  channel: {
    title: 'All atoms of a channel',
    unit: '',
    values: [0],
    slider: null,
    item: ([c]) => ({ kind: 'rect', op: 'add', channels: [c] }),
    problem([channel], channels) {
      if (Number.isInteger(channel) && channel < channels) return '';
      return channels === 1
        ? 'This sound has one channel, number 0.'
        : 'Channels are numbered 0 to ' + (channels - 1) + '.';
    },
    valuesOf(item) {
      const [channel] = onlyLimit(item, 'channels') ?? [];
      return channel == null ? null : [channel];
    },
  },
  random: percentPreset('random', 'A random part of the audible atoms', 50),
  quietest: percentPreset('quietest', 'The quietest audible atoms', 90),
  loudest: percentPreset('loudest', 'The loudest audible atoms', 5),
  transients: percentPreset(
    'transients',
    'The atoms most like those beside them in frequency: attacks, clicks, noise',
    20,
  ),
  steady: percentPreset('steady', 'The atoms most like those beside them in time: notes, hum', 20),
  every: partPreset('every', {
    title: 'Whole frames: 4 is each fourth one',
    label: 'every nth frame',
    unit: 'frames',
    values: [4],
    slider: null,
    problem: ([frames]) =>
      Number.isInteger(frames) && frames >= 2 ? '' : 'Please enter a whole number of 2 or more.',
  }),
  beats: {
    title: 'From a beat to the next: 2 of 2 is every second beat, which is filled from the others',
    unit: 'beats',
    between: ['of', 'Number of beats'],
    values: [2, 2],
    slider: null,
    item: ([which, count]) => ({ part: 'beats:' + count + (which === count ? '' : ',' + which) }),
    problem: ([which, count]) =>
      [which, count].every(Number.isInteger) && count >= 2 && which >= 1 && which <= count
        ? ''
        : 'Please enter one of two beats or more, such as 1 of 2.',
    valuesOf({ part }) {
      if (!part?.startsWith('beats:')) return null;
      const [count, which = count] = part.slice('beats:'.length).split(',').map(Number);
      return [which, count];
    },
  },
  standout: partPreset('standout', {
    title:
      'Of the rest of the selection, only what is louder than its surroundings by some decibels: ' +
      'a phone, a whistle, a cough; what lies between stays as it is',
    label: 'only what stands out',
    unit: 'dB',
    values: [8],
    slider: [0, 30, 'linear'],
  }),
  keep: partPreset('keep', {
    title: 'Everything except the loudest atoms; the number is per second',
    label: 'all but loudest',
    unit: '/ s',
    values: [2000],
    slider: [50, 40000, 'log'],
  }),
};

/** The item of a preset. Throws an error with a sentence for the user if a value is invalid.
 * @param {string} name
 * @param {number[]} values
 * @param {number} channels of the sound */
export function presetItem(name, values, channels) {
  const [first] = values;
  const preset = PRESETS[name];
  const sentence =
    Number.isFinite(first) && first >= 0
      ? preset.problem?.(values, channels)
      : 'Please enter a number of 0 or more.';
  if (sentence) throw new Error(sentence);
  return preset.item(values);
}

/** Name and values of the preset that makes an item; null if none does.
 * @param {Item} item */
export function presetOf(item) {
  for (const [name, { valuesOf }] of Object.entries(PRESETS)) {
    const values = valuesOf(item);
    if (values) return { name, values };
  }
  return null;
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
