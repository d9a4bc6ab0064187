// Files that the page hands over and takes: selections with their features, downloads, and how the picture looks that Python exports.

import { fromFile, toFile } from '../state/selection.js';

/** What the server answers for an address. Throws a sentence where it has nothing there any more. */
export async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok)
    throw new Error(
      'the server does not have it any more. Reload the page, which brings your sound back.',
    );
  return answer;
}

/** Hand what lies at an address over as a file. */
export function download(href, name) {
  Object.assign(document.createElement('a'), { href, download: name }).click();
}

/** The boxes of the page's features: [[name of the feature, box]]. */
const featureBoxes = () =>
  [...document.querySelectorAll('#features input[type=checkbox]')].map((box) => [
    box.closest('[id^=feature-]').id.slice('feature-'.length),
    box,
  ]);

/** Tick the boxes of these features and no others. */
export function tickFeatures(wanted) {
  for (const [name, box] of featureBoxes()) if (box.checked !== wanted.includes(name)) box.click();
}

/** Whether every one of these features is ticked. */
export const areTicked = (wanted) =>
  featureBoxes().filter(([name, box]) => box.checked && wanted.includes(name)).length ===
  wanted.length;

/** Hand the selection over, with the features that are ticked. */
export function saveSelection(items) {
  const ticked = featureBoxes()
    .filter(([, box]) => box.checked)
    .map(([name]) => name);
  const url = URL.createObjectURL(new Blob([toFile(items, ticked)], { type: 'application/json' }));
  download(url, 'selection.json');
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** {items, features} of a saved selection; features are null where it names none. Throws a sentence where it is none. */
export async function readSelection(file) {
  const text = await file.text(),
    items = fromFile(text),
    { features } = JSON.parse(text);
  return { items, features: Array.isArray(features) ? features : null };
}

/** What an exported picture shares with the one that is seen. */
export function lookOf({ state, picture, orders }) {
  const whole = (span, all) => span.every((v, k) => Math.abs(v - all[k]) < 1e-6);
  return {
    scale: picture.scale,
    stacked: picture.stacked && state.scene.channels > 1,
    colour: state.colour,
    ordering: orders.name,
    reverse: orders.reverse,
    dark: picture.dark,
    seconds: whole(picture.t, picture.wholeTime) ? null : picture.t,
    hertz: whole(picture.u, picture.wholeUnits)
      ? null
      : picture.u.map((u) => Math.max(0, picture.hertz(u))),
  };
}
