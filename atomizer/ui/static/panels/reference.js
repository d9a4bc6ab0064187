// The reference recording, which gives filled highs their levels: chosen, shown, removed. Gradio
// makes its elements, so they are looked up when they are needed.

import { setChildren } from '../util/children.js';
import { press } from './shell.js';

/** @typedef {import('../types').Reference} Reference */

/** @type {[string, string][]} */
const CHOICES = [
  ['', 'the sound predicts'],
  ['file', 'another recording …'],
  ['span', 'a span of this sound'],
];
const EARLIER = 'sound '; // before the id of an earlier sound

/** @template {HTMLElement} [E=HTMLElement]
 * @param {string} name
 * @returns {E | null} */
const part = (name) => document.querySelector('[data-reference=' + name + ']');

/** Show the choice, and what was chosen.
 * @param {Reference} reference */
export function showReference({ name, sounds }) {
  /** @type {HTMLSelectElement | null} */
  const menu = part('choice');
  const label = menu?.closest('label');
  const chosen = part('chosen');
  if (!menu || !label || !chosen) return;
  const choices = [...CHOICES, ...sounds.map(([id, title]) => [EARLIER + id, title])];
  setChildren(
    menu,
    choices.map(([value, text]) => new Option(text, value)),
  );
  if (name) menu.value = '';
  label.hidden = !!name;
  chosen.hidden = !name;
  /** @type {HTMLElement} */ (part('name')).textContent = name;
  /** @type {HTMLElement} */ (part('span')).hidden = menu.value !== 'span';
}

/** Do what its elements stand for.
 * @param {object} host
 * @param {(payload: object) => void} host.choose what Python takes: handlers/reference.py
 * @param {() => number} host.duration of the sound in seconds */
export function watchReference({ choose, duration }) {
  /** @param {string} name
   * @returns {HTMLInputElement} */
  const field = (name) => /** @type {HTMLInputElement} */ (part(name));
  document.addEventListener('change', ({ target }) => {
    const menu = /** @type {HTMLSelectElement} */ (target);
    if (menu.dataset.reference !== 'choice') return;
    const { value } = menu;
    /** @type {HTMLElement} */ (part('span')).hidden = value !== 'span';
    if (value === 'span') {
      field('start').value = '0';
      field('stop').value = String(+duration().toFixed(2));
      return;
    }
    menu.value = ''; // until Python has taken it
    if (value === 'file') press('#reference-file input[type=file]');
    else if (value) choose({ sound: value.slice(EARLIER.length) });
  });
  document.addEventListener('click', ({ target }) => {
    /** @type {HTMLElement | null} */
    const button = /** @type {Element} */ (target).closest('button[data-reference]');
    if (button?.dataset.reference === 'remove') choose({});
    if (button?.dataset.reference === 'use')
      choose({ span: [field('start').value, field('stop').value] });
  });
}
