// The selection: a list of items, each a region or a part by rank ({part: "random:50"}).
// It selects exactly what atoms/selection.py makes of it. A harmonic stroke is one item that stands
// for several regions.

import { amplitudesOf } from '../plot/atoms.js';
import * as format from '../util/format.js';
import { boundsOf, isValidRegion, partial, shapeOf } from './shapes.js';

/** @typedef {import('../types').Item} Item */
/** @typedef {import('../types').Region} Region */
/** @typedef {import('../types').Scene} Scene */
/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Axes} Axes */

const REACH = 1; // seconds around a fill within which it is soon heard, or was just heard
const LEAD = 0.5; // seconds that play before a fill

/** @type {Item} */
export const EVERYTHING = { kind: 'rect', op: 'add', everything: true };

/** The regions of an item, as `Region` of Python takes them; none for a part.
 * @param {Item} item
 * @returns {Region[]} */
export function regionsOf(item) {
  if (item.part) return [];
  const { everything, harmonics, ...rest } = item;
  const region = /** @type {Region} */ (rest);
  if (!harmonics) return [region];
  return Array.from({ length: harmonics }, (_, k) => ({
    ...region,
    points: partial(region.points ?? [], k + 1),
  }));
}

/** How many multiples of a stroke lie below `top` Hz, `limit` at most.
 * @param {number[][]} points
 * @param {number} top
 * @param {number} limit */
export const countHarmonics = (points, top, limit) =>
  Math.max(1, Math.min(limit, Math.floor(top / Math.max(...points.map((p) => p[1]), 1))));

/** The value of the component: regions and parts for Python, and a key that identifies them.
 * @param {Item[]} items
 * @returns {import('../types').Payload} */
export function toPayload(items) {
  const regions = items.flatMap(regionsOf);
  const specs = items.flatMap((item) => (item.part ? [item.part] : []));
  return { regions, specs, key: JSON.stringify([regions, specs]) };
}

/** Whether an item narrows the others to what stands out from around them; it selects nothing.
 * @param {Item} item */
export const narrows = ({ part }) => !!part?.startsWith('standout:');

/** Whether an item is the last of these again: a button was pressed twice.
 * @param {Item[]} items
 * @param {Item} item */
export const isRepeated = (items, item) =>
  items.length > 0 && toPayload(items.slice(-1)).key === toPayload([item]).key;

/** Items of regions and parts from Python or from a file.
 * @param {Region[]} regions
 * @param {string[]} specs
 * @returns {Item[]} */
export const fromPayload = (regions, specs) => [
  ...regions.map((region) =>
    isEverything(region) ? EVERYTHING : Object.assign({ kind: region.kind, op: 'add' }, region),
  ),
  ...specs.map((part) => ({ part })),
];

/** @param {Region} region */
const isEverything = (region) =>
  region.kind === 'rect' && !region.t && !region.f && !region.channels;

/** Which cells of an MDCT grid the regions of a selection take, by channel, frame and bin. */
export class GridSelection {
  /** @param {Scene} scene
   * @param {Axes} axes */
  constructor(scene, axes) {
    this.scene = scene;
    this.axes = axes;
    this.mask = new Uint8Array(scene.channels * scene.frames * scene.hop);
    this.isEmpty = true;
  }

  /** @param {number} channel
   * @param {number} frame
   * @param {number} bin */
  cellIndex(channel, frame, bin) {
    return (channel * this.scene.frames + frame) * this.scene.hop + bin;
  }

  /** @param {Item[]} items */
  set(items) {
    if (!this.isEmpty) this.mask.fill(0);
    this.isEmpty = !items.some((item) => !item.part);
    for (const item of items) for (const region of regionsOf(item)) this.apply(region);
  }

  /** @param {Region} region */
  apply(region) {
    const { scene, mask } = this;
    const { seconds, hertz, perFrame } = this.axes; // a window reaches one frame to either side
    const value = region.op === 'subtract' ? 0 : 1;
    const channels = (region.channels || [...Array(scene.channels).keys()]).filter(
      (c) => c < scene.channels,
    );
    for (const piece of shapeOf(region).pieces(region, scene.sound_rate / 2)) {
      const [k0, k1] = piece.bins(hertz);
      const [m0, m1] = piece.frames(seconds);
      const height = piece.solid ? k1 - k0 : 1;
      for (let k = k0; k < k1; k += height) {
        const inside = piece.row(hertz[k]);
        if (!inside) continue;
        for (let m = m0; m < m1; m++) {
          if (!inside(seconds[m], perFrame)) continue;
          for (const c of channels) {
            const cell = this.cellIndex(c, m, k);
            if (height === 1) mask[cell] = value;
            else mask.fill(value, cell, cell + height);
          }
        }
      }
    }
  }

  /** Mark the selected atoms of a scene.
   * @param {Atoms} atoms
   * @param {Uint8Array | null} parts bit set of the atoms in selected parts, computed by Python */
  markAtoms(atoms, parts) {
    const { scene, mask, isEmpty } = this;
    const { frames, hop } = scene;
    if (isEmpty && !parts) {
      atoms.selected.fill(0);
      return;
    }
    for (let i = 0; i < atoms.count; i++) {
      atoms.selected[i] =
        mask[(atoms.channel[i] * frames + atoms.frame[i]) * hop + atoms.bin[i]] |
        (parts ? (parts[i >> 3] >> (i & 7)) & 1 : 0);
    }
  }
}

/** Number, share of the energy, time and frequency range of the selected atoms; null for none.
 * @param {Atoms} atoms
 * @param {Scene} scene
 * @param {Axes} axes
 * @returns {import('../types').Summary | null} */
export function summarise(atoms, scene, axes) {
  if (!atoms.selected.includes(1)) return null;
  const amplitude = amplitudesOf(atoms, scene);
  let count = 0;
  let energy = 0;
  let [m0, m1, k0, k1] = [Infinity, -1, Infinity, -1];
  for (let i = 0; i < atoms.count; i++) {
    if (!atoms.selected[i]) continue;
    count++;
    energy += amplitude[i] * amplitude[i];
    if (atoms.frame[i] < m0) m0 = atoms.frame[i];
    if (atoms.frame[i] > m1) m1 = atoms.frame[i];
    if (atoms.bin[i] < k0) k0 = atoms.bin[i];
    if (atoms.bin[i] > k1) k1 = atoms.bin[i];
  }
  return {
    count,
    energy: energy / Math.max(scene.energy, 1e-30),
    t: [m0 * axes.perFrame, m1 * axes.perFrame],
    f: [axes.hertz[k0], axes.hertz[k1]],
  };
}

/** The inverted selection: the whole plane with additions and subtractions swapped.
 * Null if it has parts, which cannot be inverted.
 * @param {Item[]} items
 * @returns {Item[] | null} */
export function invert(items) {
  if (items.some((item) => item.part)) return null;
  /** @param {Item[]} list
   * @returns {Item[]} */
  const flipped = (list) =>
    list.map((item) => ({ ...item, op: item.op === 'subtract' ? 'add' : 'subtract' }));
  return items.length && items[0].everything
    ? flipped(items.slice(1))
    : [EVERYTHING, ...flipped(items)];
}

/** How much of the selection a subtracted region cannot reach: "all", "some" or "nothing".
 * Parts are ranks among all atoms, which Python adds after every region, so that nothing can be
 * subtracted from them.
 * @param {Item[]} items
 * @param {Item} item the region to add to them */
export function unreachedBy(items, item) {
  if (item.op !== 'subtract' || !items.some((one) => one.part && !narrows(one))) return 'nothing';
  return items.some(({ part, op }) => !part && op !== 'subtract') ? 'some' : 'all';
}

/** The time range of the selection within a sound; null for none.
 * @param {Item[]} items
 * @param {number} duration
 * @returns {import('../types').Range | null} */
export function timeRangeOf(items, duration) {
  let from = Infinity;
  let to = -Infinity;
  for (const item of items) {
    if (item.part || item.op === 'subtract') continue;
    const [t0, t1] = boundsOf(item).t || [0, duration];
    from = Math.min(from, t0 ?? 0);
    to = Math.max(to, t1 ?? duration);
  }
  return to > from ? [Math.max(0, from), Math.min(duration, to)] : null;
}

/** From the start of the first span to the end of the last one, of one span or more.
 * @param {import('../types').Range[]} spans
 * @returns {import('../types').Range} */
export const extentOf = (spans) => [spans[0][0], spans[spans.length - 1][1]];

/** Where to play from so that a fill is heard; null for a position within its reach.
 * @param {number} position seconds
 * @param {import('../types').Range[]} spans of the fill, in seconds */
export function startOfFill(position, spans) {
  if (!spans.length) return null;
  const [from, to] = extentOf(spans);
  return position >= from - REACH && position <= to + REACH ? null : Math.max(0, from - LEAD);
}

/** A range with a margin on both sides, within a sound.
 * @param {import('../types').Range} range
 * @param {number} margin seconds
 * @param {number} duration seconds
 * @returns {import('../types').Range} */
export const padded = ([from, to], margin, duration) => [
  Math.max(0, from - margin),
  Math.min(duration, to + margin),
];

/** A span in words: "after 3 s", "below 200 Hz", "1–2 s".
 * @param {import('../types').Span} span
 * @param {string} open word for a span without an end
 * @param {string} closed word for a span without a start
 * @param {(value: number) => string} unit */
function spanText([from, to], open, closed, unit) {
  if (to === null || to === undefined) return open + ' ' + unit(from ?? 0);
  if (from === null || from === undefined) return closed + ' ' + unit(to);
  return format.span([from, to], unit);
}

/** A few words about an item, for its chip.
 * @param {Item} item
 * @param {string[]} [names] of the channels */
export function labelOf(item, names = []) {
  if (item.part) {
    const [kind, amount] = item.part.split(':');
    if (kind === 'keep') return 'all but ' + amount + ' per s';
    if (kind === 'every') return 'each frame of ' + amount;
    if (kind === 'standout') return 'what stands out by ' + amount + ' dB';
    if (kind !== 'beats') return kind + ' ' + amount + ' %';
    const [count, which = count] = amount.split(',');
    return 'beat ' + which + ' of ' + count;
  }
  if (item.everything) return 'everything';
  const words = [];
  if (item.kind !== 'rect') words.push(item.harmonics ? item.harmonics + ' partials' : item.kind);
  // of a harmonic stroke, the frequencies of its line
  const { t, f } = boundsOf(item.harmonics ? { ...item, size: [item.size?.[0] ?? 0, 0] } : item);
  if (t) words.push(spanText(t, 'after', 'before', format.seconds));
  if (f) words.push(spanText(f, 'above', 'below', format.hertz));
  if (item.channels) words.push(item.channels.map((c) => format.channel(c, names)).join(', '));
  return words.join(', ');
}

/** The selection as the text of a file, with the features that are unknown.
 * @param {Item[]} items
 * @param {string[]} features */
export const toFileText = (items, features) => {
  const { regions, specs } = toPayload(items);
  return JSON.stringify({ regions, ...(specs.length ? { parts: specs } : {}), features }, null, 1);
};

/** Whether a file is one of settings: a list of fills.
 * @param {string} text */
export function hasSettings(text) {
  try {
    return Array.isArray(JSON.parse(text)?.fills);
  } catch {
    return false;
  }
}

/** Items of such a file. Throws an error with a sentence for the user; Python checks the regions.
 * @param {string} text */
export function parseSelectionFile(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error('This file is not JSON. Please choose a selection or settings saved here.');
  }
  const { regions = [], parts = [] } = data && typeof data === 'object' ? data : {};
  if (
    !Array.isArray(regions) ||
    !Array.isArray(parts) ||
    !regions.every(isValidRegion) ||
    !parts.every((part) => typeof part === 'string') ||
    !(regions.length + parts.length)
  ) {
    throw new Error(
      'This file has no selection. Please choose a selection or settings saved here.',
    );
  }
  return fromPayload(regions, parts);
}
