// Bounds of the selected box, which can be typed: seconds, Hz, or notes such as A4.

import * as format from '../util/format.js';

/** @typedef {import('../types').Item} Item */
/** @typedef {import('../types').Span} Span */

const NOTE = /^([a-g])([#♯b♭]?)(-?\d)\s*([+−-]\d+)?$/i;
const SEMITONES = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 };
const FIELDS = /** @type {const} */ (['start', 'end', 'low', 'high']);

/** Hz of "440", "1.2k", "1.2 kHz" or "A4"; null for an empty text, NaN for anything else.
 * @param {string} text */
export function parseHertz(text) {
  const words = text.trim().replace(',', '.');
  if (!words) return null;
  const note = NOTE.exec(words);
  if (note) {
    const [, letter, accidental, octave, cents = '0'] = note;
    const step = SEMITONES[/** @type {keyof typeof SEMITONES} */ (letter.toLowerCase())];
    const shift = /[#♯]/.test(accidental) ? 1 : accidental ? -1 : 0;
    const midi = 12 * (Number(octave) + 1) + step + shift + Number(cents.replace('−', '-')) / 100;
    return 440 * 2 ** ((midi - 69) / 12);
  }
  const number = /^([\d.]+)\s*(k?)(hz)?$/i.exec(words);
  return number ? Number(number[1]) * (number[2] ? 1000 : 1) : NaN;
}

/** Seconds of "1.5", "1.5 s" or "1:02.5"; null for an empty text, NaN for anything else.
 * @param {string} text */
export function parseSeconds(text) {
  const words = text.trim().replace(',', '.');
  if (!words) return null;
  const clock = /^(?:(\d+):)?([\d.]+)\s*s?$/.exec(words);
  return clock ? 60 * Number(clock[1] ?? 0) + Number(clock[2]) : NaN;
}

/** A span of two bounds; null if both are open. Throws an error with a sentence for the user.
 * @param {number | null} from
 * @param {number | null} to
 * @param {string} accepted
 * @returns {Span | null} */
function spanOf(from, to, accepted) {
  for (const value of [from, to])
    if (value !== null && !(Number.isFinite(value) && value >= 0)) throw new Error(accepted);
  if (from !== null && to !== null && from >= to)
    throw new Error('The first bound must be below the second one.');
  return from === null && to === null ? null : [from, to];
}

/** A box with bounds as they were typed. Throws an error with a sentence for the user.
 * @param {Item} item
 * @param {Record<string, string>} texts by the name of the field
 * @returns {Item} */
export function withBounds(item, { start, end, low, high }) {
  const t = spanOf(parseSeconds(start), parseSeconds(end), 'Please enter seconds, such as 1.5.');
  const f = spanOf(parseHertz(low), parseHertz(high), 'Please enter Hz or a note: 440 or A4.');
  const { t: _, f: __, ...rest } = item;
  if (!t && !f && !item.channels) throw new Error('A box needs at least one bound.');
  return { ...rest, ...(t ? { t } : {}), ...(f ? { f } : {}) };
}

/** "A3–C6, centre 523 Hz (C5)".
 * @param {Span} span Hz */
export function describeBand([low, high]) {
  if (!low || !high) return '';
  const centre = Math.sqrt(low * high);
  return (
    format.noteName(low) +
    '–' +
    format.noteName(high) +
    ', centre ' +
    format.hertz(centre) +
    ' (' +
    format.note(centre) +
    ')'
  );
}

/** The index of the box whose bounds are shown: the active one, or the only one; -1 for none.
 * @param {Item[]} items
 * @param {number} active */
export function editedIndex(items, active) {
  const index = active < 0 && items.length === 1 ? 0 : active;
  const item = items[index];
  return item && item.kind === 'rect' && !item.everything ? index : -1;
}

/** The fields below the picture. */
export class BoundsPanel {
  /** @param {import('../types').Find} find
   * @param {(texts: Record<string, string>) => void} typed */
  constructor(find, typed) {
    this.find = find;
    const panel = find('bounds');
    panel.addEventListener('change', () => typed(this.texts()));
    panel.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') typed(this.texts());
    });
  }

  /** @param {typeof FIELDS[number]} name
   * @returns {HTMLInputElement} */
  field(name) {
    return /** @type {HTMLInputElement} */ (this.find('bound-' + name));
  }

  texts() {
    return Object.fromEntries(FIELDS.map((name) => [name, this.field(name).value]));
  }

  /** Show the bounds of a box; undefined hides them.
   * @param {Item | undefined} item */
  show(item) {
    this.find('bounds').hidden = !item;
    if (!item) return;
    const seconds = (/** @type {number | null | undefined} */ v) =>
      v == null ? '' : String(+v.toFixed(3));
    const hertz = (/** @type {number | null | undefined} */ v) =>
      v == null ? '' : String(+v.toFixed(v < 1000 ? 1 : 0));
    const [start, end] = item.t ?? [null, null];
    const [low, high] = item.f ?? [null, null];
    const texts = {
      start: seconds(start),
      end: seconds(end),
      low: hertz(low),
      high: hertz(high),
    };
    for (const name of FIELDS) this.field(name).value = texts[name];
    this.find('bound-notes').textContent = describeBand([low, high]);
  }
}
