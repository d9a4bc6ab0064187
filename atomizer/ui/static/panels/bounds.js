// Bounds of the selected box, which can be typed: seconds, Hz, or notes such as A4.

import * as format from '../util/format.js';

/** @typedef {import('../types').Item} Item */
/** @typedef {import('../types').Span} Span */
/** @typedef {'start' | 'end' | 'low' | 'high'} FieldName */

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

/** Bounds that a box cannot have: a sentence for the user, and the fields that it is about. */
export class InvalidBounds extends Error {
  /** @param {string} sentence
   * @param {FieldName[]} fields */
  constructor(sentence, fields) {
    super(sentence);
    this.fields = fields;
  }
}

/** A span of two bounds within a sound; null if both are open. Throws InvalidBounds.
 * @param {[FieldName, FieldName]} fields
 * @param {[number | null, number | null]} bounds
 * @param {{end: number, accepted: string, beyond: string}} limit where the sound ends, and
 *   sentences about invalid values and about spans that begin there
 * @returns {Span | null} */
function spanOf(fields, bounds, { end, accepted, beyond }) {
  const invalid = fields.filter((_, k) => {
    const value = bounds[k];
    return value !== null && !(Number.isFinite(value) && value >= 0);
  });
  if (invalid.length) throw new InvalidBounds(accepted, invalid);
  const from = bounds[0];
  if (from !== null && from >= end) throw new InvalidBounds(beyond, [fields[0]]);
  const to = bounds[1] === null ? null : Math.min(bounds[1], end);
  if (from !== null && to !== null && from >= to)
    throw new InvalidBounds('The first bound must be below the second one.', fields);
  return from === null && to === null ? null : [from, to];
}

/** A box with bounds as they were typed, up to the end of the sound. Throws InvalidBounds.
 * @param {Item} item
 * @param {Record<string, string>} texts by the name of the field
 * @param {Pick<import('../types').Scene, 'duration' | 'rate' | 'sound_rate'>} scene
 * @returns {Item} */
export function withBounds(item, { start, end, low, high }, scene) {
  const { duration } = scene;
  const top = Math.max(scene.rate, scene.sound_rate) / 2;
  const t = spanOf(['start', 'end'], [parseSeconds(start), parseSeconds(end)], {
    end: duration,
    accepted: 'Please enter seconds, such as 1.5.',
    beyond: 'The sound ends at ' + format.seconds(duration) + ': please enter an earlier start.',
  });
  const f = spanOf(['low', 'high'], [parseHertz(low), parseHertz(high)], {
    end: top,
    accepted: 'Please enter Hz or a note: 440 or A4.',
    beyond: 'Atoms end at ' + format.hertz(top) + ': please enter a lower frequency.',
  });
  const { t: _, f: __, ...rest } = item;
  if (!t && !f && !item.channels) throw new InvalidBounds('A box needs at least one bound.', []);
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
   * @param {object} host
   * @param {(texts: Record<string, string>, isDone: boolean) => void} host.typed throws
   *   InvalidBounds
   * @param {(sentence: string) => void} host.refused values were invalid when the fields were
   *   left */
  constructor(find, { typed, refused }) {
    this.find = find;
    this.typed = typed;
    /** @type {Item | undefined} */
    this.item = undefined;
    const panel = find('bounds');
    panel.addEventListener('input', () => this.read(false));
    panel.addEventListener('change', () => this.read(true));
    panel.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.read(true);
    });
    // from field to field, both bounds can be changed
    panel.addEventListener('focusout', ({ relatedTarget }) => {
      if (FIELDS.some((name) => this.field(name) === relatedTarget)) return;
      const problem = find('bound-problem').textContent;
      this.show(this.item);
      if (problem) refused(problem);
    });
  }

  /** Take what is in the fields, and mark what is invalid.
   * @param {boolean} isDone whether the bounds are complete */
  read(isDone) {
    this.mark(null);
    try {
      this.typed(this.texts(), isDone);
    } catch (error) {
      if (!(error instanceof InvalidBounds)) throw error;
      this.mark(error);
    }
  }

  /** @param {InvalidBounds | null} problem */
  mark(problem) {
    for (const name of FIELDS)
      this.field(name).setAttribute('aria-invalid', String(!!problem?.fields.includes(name)));
    this.find('bound-problem').textContent = problem?.message ?? '';
    this.find('bound-notes').hidden = !!problem;
  }

  /** @param {FieldName} name
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
    this.item = item;
    this.mark(null);
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
