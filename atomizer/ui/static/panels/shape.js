// Sliders for the shape of a fill: level, brightness, and share of the fill; of an added channel
// its width instead of its level.

import { isNeutral, NEUTRAL } from '../audio/shaping.js';

/** @typedef {import('../types').Shape} Shape */

const signed = (/** @type {number} */ value) => (value > 0 ? '+' : value < 0 ? '−' : '');
const decibels = (/** @type {number} */ value) => signed(value) + Math.abs(value) + ' dB';
const percent = (/** @type {number} */ value) => Math.round(100 * value) + ' %';

/** One row per slider: the field of a shape, the value per step of the slider, its text.
 * @type {{field: keyof Shape, unit: number, text: (value: number) => string}[]} */
const SLIDERS = [
  { field: 'level_db', unit: 1, text: decibels },
  { field: 'tilt_db', unit: 1, text: (value) => decibels(value) + '/octave' },
  { field: 'width', unit: 0.01, text: percent },
  { field: 'wet', unit: 0.01, text: percent },
];

/** The panel; every variation has a shape of its own. */
export class ShapePanel {
  /** @param {HTMLElement} panel
   * @param {(shape: Shape) => void} changed */
  constructor(panel, changed) {
    this.panel = panel;
    this.changed = changed;
    /** @type {Map<number, Shape>} by the ids of variations */
    this.shapes = new Map();
    /** @type {number | null} */
    this.id = null;
    this.isWidened = false;
    panel.addEventListener('input', () => this.take());
  }

  /** Shape of the variation that is shown. */
  get shape() {
    return this.id === null ? NEUTRAL : this.shapeOf(this.id);
  }

  /** Shape of a variation.
   * @param {number} id */
  shapeOf(id) {
    return this.shapes.get(id) ?? NEUTRAL;
  }

  /** Take the shapes of variations that a session file has, unless they were changed since.
   * @param {Pick<import('../types').Variation, 'id' | 'shape'>[]} variations */
  adopt(variations) {
    for (const { id, shape } of variations)
      if (shape && !this.shapes.has(id)) this.shapes.set(id, shape);
  }

  /** @param {keyof Shape} field
   * @returns {HTMLInputElement} */
  slider(field) {
    return /** @type {HTMLInputElement} */ (this.panel.querySelector('[name=' + field + ']'));
  }

  /** Show the shape of a variation; null hides the panel.
   * @param {number | null} id
   * @param {boolean} isWidened whether it adds a channel to a mono sound */
  show(id, isWidened) {
    this.id = id;
    this.isWidened = isWidened;
    this.panel.hidden = id === null;
    for (const [field, isShown] of /** @type {const} */ ([
      ['level_db', !isWidened],
      ['width', isWidened],
    ])) {
      const label = this.slider(field).closest('label');
      if (label) label.hidden = !isShown;
    }
    for (const { field, unit } of SLIDERS)
      this.slider(field).value = String(this.shape[field] / unit);
    this.sync();
  }

  /** Take the values of the sliders. */
  take() {
    if (this.id === null) return;
    const values = SLIDERS.map(({ field, unit }) => [
      field,
      Number(this.slider(field).value) * unit,
    ]);
    this.shapes.set(this.id, /** @type {Shape} */ (Object.fromEntries(values)));
    this.sync();
    this.changed(this.shape);
  }

  reset() {
    if (this.id === null) return;
    this.shapes.set(this.id, NEUTRAL);
    this.show(this.id, this.isWidened);
    this.changed(this.shape);
  }

  /** Show the values as text. */
  sync() {
    for (const { field, text } of SLIDERS) {
      const value = text(this.shape[field]);
      this.slider(field).setAttribute('aria-valuetext', value);
      const output = this.slider(field).nextElementSibling;
      if (output) output.textContent = value;
    }
    /** @type {HTMLButtonElement | null} */
    const reset = this.panel.querySelector('[data-act=resetShape]');
    if (reset) reset.hidden = isNeutral(this.shape);
  }
}
