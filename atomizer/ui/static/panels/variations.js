// The list of variations: every fill with its settings and its distance from the original.

import { whereOf } from '../state/selectors.js';
import { scrollTo, setChildren } from '../util/children.js';
import * as format from '../util/format.js';

/** @typedef {import('../types').Variation} Variation */

const METRICS_HELP =
  'Beside the original: SNR compares the waveforms; with guessed signs it stays near 0 dB even ' +
  'when the fill sounds right, and is not shown below 0. Level is how loud the filled atoms are ' +
  'beside the original ones. LSD is the log-spectral distance: 0 is perfect, 1 is 10 dB, ' +
  '0.7 is as good as it gets with random signs.';

const CONFIDENCE_HELP =
  'How sure it is that a place of the recording fits: 1 is an exact repetition. ' +
  'The less sure, the more texture is mixed in.';

/** "−0.4"; a zero has no sign.
 * @param {number} value */
const tenths = (value) => (Math.round(10 * value) / 10 + 0).toFixed(1).replace('-', '−');

/** "+0.4", "−0.4", "0.0".
 * @param {number} value */
const signed = (value) => (Math.round(10 * value) > 0 ? '+' : '') + tenths(value);

/** How close a variation is to the original where that is what it should sound like; else nothing.
 * @param {Variation} variation */
export const metricsOf = (variation) => (variation.has_reference ? differenceOf(variation) : '');

/** What a variation is, and how close it is to the original: for the status line.
 * @param {Variation} variation */
export const summaryOf = (variation) =>
  variation.label + ': ' + [madeOf(variation), metricsOf(variation)].filter(Boolean).join(', ');

/** What it is made of, in words; a session file of before may have none.
 * @param {Variation} variation */
const madeOf = ({ origin, title }) => origin || title;

/** "9 s", "0.6 s".
 * @param {number} seconds */
const duration = (seconds) => seconds.toFixed(seconds < 2 ? 1 : 0) + ' s';

/** How far a variation is from the original: "SNR 3.2 dB · level +0.4 dB · LSD 0.91", or nothing.
 * An SNR below 0 dB says only that the waveform is another, as it is with guessed
 * signs; level and spectrum say how right it is.
 * @param {Pick<Variation, 'snr_db' | 'level_db' | 'lsd'>} variation */
function differenceOf(variation) {
  const words = [];
  if (variation.snr_db != null && variation.snr_db >= 0)
    words.push('SNR ' + tenths(variation.snr_db) + ' dB');
  if (variation.level_db != null) words.push('level ' + signed(variation.level_db) + ' dB');
  if (variation.lsd != null) words.push('LSD ' + variation.lsd.toFixed(2));
  return words.join(' · ');
}

/** @param {string} tag
 * @param {string} className
 * @param {string} textContent */
const textElement = (tag, className, textContent) =>
  Object.assign(document.createElement(tag), { className, textContent });

/** One radio button of the list.
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
  metrics.title = METRICS_HELP;
  const facts = [whereOf(variation), 'took ' + duration(variation.seconds)];
  row.append(
    textElement('b', 'label', variation.label),
    textElement('span', 'how', madeOf(variation)),
    metrics,
    textElement('span', 'facts', facts.filter(Boolean).join(' · ')),
  );
  return row;
}

/** Fill the fold with the settings of the chosen variation.
 * @param {HTMLDetailsElement} fold
 * @param {Variation | undefined} variation */
export function showDetails(fold, variation) {
  fold.hidden = !variation;
  if (!variation) return;
  const difference = variation.has_reference ? '' : differenceOf(variation);
  const confidence = confidenceOf(variation);
  /** @type {string[][]} */
  const rows = [
    ...variation.details,
    ...(confidence ? [['confidence of the copy', confidence, CONFIDENCE_HELP]] : []),
    ...(difference ? [['compared with what was erased', difference, METRICS_HELP]] : []),
    ['audible atoms', format.count(variation.heard)],
    ['sound', variation.changed],
  ];
  const summary = textElement('summary', '', 'Details of ' + variation.label);
  const list = document.createElement('dl');
  for (const [name, value, title = ''] of rows) {
    const row = document.createElement('div');
    row.title = title;
    row.append(textElement('dt', '', name), textElement('dd', '', value));
    list.append(row);
  }
  setChildren(fold, [summary, list]);
}

/** Confidence of all copies for the first span that was filled, or nothing.
 * @param {Pick<Variation, 'sources'>} variation */
function confidenceOf({ sources }) {
  if (!sources.length) return '';
  const isFirst = (/** @type {{target: number[]}} */ { target }) =>
    target.join() === sources[0].target.join();
  return sources
    .filter(isFirst)
    .reduce((sum, { confidence }) => sum + confidence, 0)
    .toFixed(2);
}

/** Fill the list.
 * @param {HTMLElement} list
 * @param {Variation[]} variations
 * @param {number | null} current id of the chosen one */
export function showVariations(list, variations, current) {
  const hadFocus = list.contains(document.activeElement);
  setChildren(
    list,
    variations.map((v) => rowOf(v, v.id === current)),
  );
  /** @type {HTMLElement | null} */
  const chosen = list.querySelector('[aria-checked=true]');
  if (hadFocus && chosen) chosen.focus();
  if (chosen) scrollTo(list, chosen);
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
