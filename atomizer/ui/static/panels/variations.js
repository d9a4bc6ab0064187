// The list of variations: every fill with its settings and its distance from the original.

import { whereOf } from '../state/selectors.js';
import * as format from '../util/format.js';

/** @typedef {import('../types').Variation} Variation */

const METRICS_HELP =
  'Beside the original: SNR compares the waveforms; with guessed signs it stays near 0 dB even ' +
  'when the fill sounds right, and is not shown below 0. Level is how loud the filled atoms are ' +
  'beside the original ones. LSD is the spectral error: 0 is perfect, 0.7 is as good as it gets ' +
  'with random signs.';

const NO_REFERENCE = 'no reference';
const NO_REFERENCE_HELP =
  'Nothing says how this should sound: what was erased may have been the fault.';

/** "−0.4"; a zero has no sign.
 * @param {number} value */
const tenths = (value) => (Math.round(10 * value) / 10 + 0).toFixed(1).replace('-', '−');

/** How close a variation is to the original where that is what it should sound like, or
 * "no reference".
 * @param {Variation} variation */
export const metricsOf = (variation) =>
  (variation.has_reference && differenceOf(variation)) || NO_REFERENCE;

/** How far a variation is from the original: "SNR 3.2 dB · level −0.4 dB · LSD 0.91", or nothing.
 * An SNR below 0 dB says only that the waveform is another, as it is with guessed
 * signs; level and spectrum say how right it is.
 * @param {Pick<Variation, 'snr_db' | 'level_db' | 'lsd'>} variation */
function differenceOf(variation) {
  const words = [];
  if (variation.snr_db != null && variation.snr_db >= 0)
    words.push('SNR ' + tenths(variation.snr_db) + ' dB');
  if (variation.level_db != null) words.push('level ' + tenths(variation.level_db) + ' dB');
  if (variation.lsd != null) words.push('LSD ' + variation.lsd.toFixed(2));
  return words.join(' · ');
}

/** @param {string} tag
 * @param {string} className
 * @param {string} textContent */
const textElement = (tag, className, textContent) =>
  Object.assign(document.createElement(tag), { className, textContent });

/** One radio button of the list; the chosen one has all of its settings.
 * @param {Variation} variation
 * @param {boolean} isChosen */
function rowOf(variation, isChosen) {
  const row = document.createElement('button');
  row.type = 'button';
  row.className = 'variation';
  row.dataset.variation = String(variation.id);
  row.setAttribute('role', 'radio');
  row.setAttribute('aria-checked', String(isChosen));
  row.tabIndex = isChosen ? 0 : -1;
  const metrics = textElement('span', 'metrics', metricsOf(variation));
  const isJudged = metrics.textContent !== NO_REFERENCE;
  metrics.title = isJudged ? METRICS_HELP : NO_REFERENCE_HELP;
  const title = [whereOf(variation), variation.title].filter(Boolean).join(' · ');
  row.append(
    textElement('b', 'label', variation.label),
    textElement('span', 'how', title),
    metrics,
  );
  if (variation.origin) row.append(textElement('span', 'origin', variation.origin));
  if (isChosen) {
    const difference = isJudged ? '' : differenceOf(variation);
    const details = [
      ...variation.details,
      ...(difference ? [['beside what was erased:', difference]] : []),
      ['audible atoms', format.count(variation.heard)],
      ['took', variation.seconds.toFixed(1) + ' s'],
    ];
    const texts = details.map(([name, value]) => name + ' ' + value);
    const text = [...texts, variation.changed].join(' · ');
    row.append(textElement('span', 'details', text));
  }
  return row;
}

/** Fill the list.
 * @param {HTMLElement} list
 * @param {Variation[]} variations
 * @param {number | null} current id of the chosen one */
export function showVariations(list, variations, current) {
  const hadFocus = list.contains(document.activeElement);
  list.replaceChildren(...variations.map((v) => rowOf(v, v.id === current)));
  /** @type {HTMLElement | null} */
  const chosen = list.querySelector('[aria-checked=true]');
  if (hadFocus && chosen) chosen.focus();
}

/** Id of the variation `step` places after the current one; null if there are none. Without a
 * current one, forward begins at the first and backward at the last.
 * @param {{id: number}[]} variations
 * @param {number | null} current
 * @param {1 | -1} step */
export function neighbour(variations, current, step) {
  if (!variations.length) return null;
  const at = variations.findIndex((v) => v.id === current);
  const from = at < 0 && step < 0 ? 0 : at;
  return variations[(from + step + variations.length) % variations.length].id;
}
