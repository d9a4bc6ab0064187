// Sliders for the shape of a fill: level, brightness, and share of the fill; of an added channel
// its width instead of its level.

import { NEUTRAL } from '../audio/shaping.js';

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

/** The panel of the variation that is heard. */
export class ShapePanel {
  /** @param {HTMLElement} panel
   * @param {(shape: Shape, what: string) => void} changed gets what was changed, too: the field of
   *   a shape, or "all" */
  constructor(panel, changed) {
    this.panel = panel;
    this.changed = changed;
    this.shape = NEUTRAL;
    panel.addEventListener('input', (event) =>
      this.take(/** @type {HTMLInputElement} */ (event.target)),
    );
  }

  /** @param {keyof Shape} field
   * @returns {HTMLInputElement} */
  slider(field) {
    return /** @type {HTMLInputElement} */ (this.panel.querySelector('[name=' + field + ']'));
  }

  /** Show the shape of a variation; null hides the panel.
   * @param {Shape | null} shape
   * @param {boolean} isWidened whether it adds a channel to a mono sound */
  show(shape, isWidened) {
    this.shape = shape ?? NEUTRAL;
    this.panel.hidden = !shape;
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

  /** Take the value of a slider.
   * @param {HTMLInputElement} slider */
  take({ name, value }) {
    const row = SLIDERS.find(({ field }) => field === name);
    if (row) this.changed({ ...this.shape, [row.field]: Number(value) * row.unit }, row.field);
  }

  reset() {
    this.changed(NEUTRAL, 'all');
  }

  /** Show the values as text. */
  sync() {
    for (const { field, text } of SLIDERS) {
      const value = text(this.shape[field]);
      this.slider(field).setAttribute('aria-valuetext', value);
      const output = this.slider(field).nextElementSibling;
      if (output) output.textContent = value;
    }
  }
}
