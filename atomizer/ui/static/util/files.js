// Files that the page reads and writes: selections with their features, downloads, plot styles.

import { parseSelectionFile, toFileText } from '../state/selection.js';

/** Fetch a file of the server. Throws an error that says what to do if it is gone.
 * @param {string} url */
export async function fetchFile(url) {
  const answer = await fetch(url);
  if (!answer.ok)
    throw new Error('the server no longer has it. Reload the page to bring your sound back.');
  return answer;
}

/** The bytes of a file that Python names.
 * @param {import('../types').FileLink} file */
export const fetchBytes = async (file) => (await fetchFile(file.url)).arrayBuffer();

/** Download a file.
 * @param {string} href
 * @param {string} [name] */
export function download(href, name) {
  Object.assign(document.createElement('a'), { href, download: name }).click();
}

/** The feature checkboxes of the page: [name of the feature, checkbox].
 * @returns {[string, HTMLInputElement][]} */
function featureBoxes() {
  /** @type {NodeListOf<HTMLInputElement>} */
  const boxes = document.querySelectorAll('#features input[type=checkbox]');
  return [...boxes].map((box) => {
    const block = /** @type {Element} */ (box.closest('[id^=feature-]'));
    return [block.id.slice('feature-'.length), box];
  });
}

/** Check the boxes of these features and no others.
 * @param {string[]} names */
export function checkFeatures(names) {
  for (const [name, box] of featureBoxes()) if (box.checked !== names.includes(name)) box.click();
}

/** Whether all of these features are checked.
 * @param {string[]} names */
export const areFeaturesChecked = (names) =>
  featureBoxes().filter(([name, box]) => box.checked && names.includes(name)).length ===
  names.length;

/** Names of the checked features. */
export const checkedFeatures = () =>
  featureBoxes().flatMap(([name, box]) => (box.checked ? [name] : []));

/** Download the selection with the checked features.
 * @param {import('../types').Item[]} items */
export function saveSelection(items) {
  const text = toFileText(items, checkedFeatures());
  const blob = new Blob([text], { type: 'application/json' });
  const url = URL.createObjectURL(blob);
  download(url, 'selection.json');
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** Items and features of a saved selection; features are null if the file has none.
 * Throws an error with a sentence for the user if the file is invalid.
 * @param {string} text of the file */
export function readSelection(text) {
  const items = parseSelectionFile(text);
  const { features } = JSON.parse(text);
  return { items, features: Array.isArray(features) ? features : null };
}

/** How the plot looks, so that an exported picture looks the same.
 * @param {import('../view.js').View} view */
export function plotStyleOf({ state, picture, orders }) {
  /** @param {number[]} span @param {number[]} full */
  const isFull = (span, full) => span.every((v, k) => Math.abs(v - full[k]) < 1e-6);
  return {
    scale: picture.scale,
    stacked: picture.stacked && !!state.scene && state.scene.channels > 1,
    colour: state.colour,
    ordering: orders.name,
    reverse: orders.reverse,
    dark: picture.dark,
    contrast: picture.contrast,
    seconds: isFull(picture.t, picture.fullTime) ? null : picture.t,
    hertz: isFull(picture.u, picture.fullUnits)
      ? null
      : picture.u.map((u) => Math.max(0, picture.hertz(u))),
  };
}
