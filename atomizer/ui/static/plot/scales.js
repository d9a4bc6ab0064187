// Frequency axes: Hz to units in which the axis is linear and back, and the ticks.

import * as format from '../util/format.js';

/** @typedef {{unit: (f: number) => number, hertz: (u: number) => number, lowest: number}} Scale */

/** Scales by name; `lowest` is the lowest frequency that is shown, in Hz.
 * @type {Record<import('../types').FrequencyScale, Scale>} */
export const SCALES = {
  log: { unit: (f) => Math.log2(Math.max(f, 1e-3)), hertz: (u) => 2 ** u, lowest: 30 },
  linear: { unit: (f) => f, hertz: (u) => u, lowest: 0 },
  mel: {
    unit: (f) => 2595 * Math.log10(1 + Math.max(f, 0) / 700),
    hertz: (u) => 700 * (10 ** (u / 2595) - 1),
    lowest: 0,
  },
};

/** 1, 2 and 5 times the powers of ten within [low, high].
 * @param {number} low
 * @param {number} high */
function roundNumbers(low, high) {
  const out = [];
  for (let power = 1; power <= high; power *= 10)
    for (const digit of [1, 2, 5])
      if (digit * power >= low && digit * power <= high) out.push(digit * power);
  return out;
}

/** Multiples of a round step within [low, high], about `wanted` of them.
 * @param {number} low
 * @param {number} high
 * @param {number} wanted */
function evenNumbers(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((digit) => digit * power >= rough) || 10);
  const out = [];
  for (let f = Math.ceil(low / step) * step; f <= high + step * 1e-6; f += step)
    out.push(+f.toPrecision(12));
  return out;
}

/** @param {number} f */
const tickText = (f) =>
  f >= 1000 ? +(f / 1000).toPrecision(6) + ' kHz' : +f.toPrecision(6) + ' Hz';

const NATURALS = [0, 2, 4, 5, 7, 9, 11]; // semitones of C major

/** Ticks at notes within [low, high] Hz, at least `minGap` pixels apart: all semitones, naturals,
 * C and G, or some of the Cs.
 * @param {import('../types').FrequencyScale} scale
 * @param {number} low
 * @param {number} high
 * @param {number} pixels
 * @param {number} [minGap] */
export function noteTicks(scale, low, high, pixels, minGap = 18) {
  const { unit } = SCALES[scale];
  const perUnit = pixels / (unit(high) - unit(low));
  const hertzOf = (/** @type {number} */ midi) => 440 * 2 ** ((midi - 69) / 12);
  const first = Math.max(0, Math.ceil(69 + 12 * Math.log2(Math.max(low, 8) / 440)));
  const last = Math.floor(69 + 12 * Math.log2(high / 440));
  const all = Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k);
  const sets = [
    all,
    all.filter((midi) => NATURALS.includes(midi % 12)),
    all.filter((midi) => midi % 12 === 0 || midi % 12 === 7),
    all.filter((midi) => midi % 12 === 0),
  ];
  const isWide = (/** @type {number[]} */ notes) =>
    notes.every(
      (midi, k) => !k || (unit(hertzOf(midi)) - unit(hertzOf(notes[k - 1]))) * perUnit >= minGap,
    );
  /** @type {number[]} */
  const kept = [];
  const notes = sets.find((set) => set.length && isWide(set)) ?? sets[3];
  for (const midi of notes.reverse()) {
    const above = kept[kept.length - 1];
    if (!kept.length || (unit(hertzOf(above)) - unit(hertzOf(midi))) * perUnit >= minGap)
      kept.push(midi);
  }
  return kept
    .reverse()
    .map((midi) => ({ hertz: hertzOf(midi), text: format.noteName(hertzOf(midi)) }));
}

/** Ticks of an axis that shows [low, high] Hz over `pixels`, at least `minGap` pixels apart.
 * @param {import('../types').FrequencyScale} scale
 * @param {number} low
 * @param {number} high
 * @param {number} pixels
 * @param {number} [minGap] */
export function ticks(scale, low, high, pixels, minGap = 26) {
  const { unit } = SCALES[scale];
  const perUnit = pixels / (unit(high) - unit(low));
  const wanted = Math.max(2, pixels / 55);
  const position = (/** @type {number} */ f) => (unit(f) - unit(low)) * perUnit;
  let numbers = scale === 'linear' ? evenNumbers(low, high, wanted) : roundNumbers(low, high);
  if (numbers.length < 3) numbers = evenNumbers(low, high, wanted);
  /** @type {number[]} */
  const kept = [];
  for (const f of numbers.reverse())
    if (!kept.length || position(kept[kept.length - 1]) - position(f) >= minGap) kept.push(f);
  return kept.reverse().map((f) => ({ hertz: f, text: tickText(f) }));
}
