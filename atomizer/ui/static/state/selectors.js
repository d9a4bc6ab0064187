// Values that are computed from the state of the page.

import { NEUTRAL } from '../audio/shaping.js';
import { isPursuit } from '../plot/pursuit.js';
import * as format from '../util/format.js';
import { fromPayload, labelOf, narrows, toPayload } from './selection.js';

/** @typedef {Readonly<import('../types').ViewState>} State */
/** @typedef {import('../types').Item} Item */

/** Names of the parts that are looked for; the others are counted.
 * @type {Record<string, string>} */
const SOUGHT = {
  transients: 'transients',
  steady: 'steady sounds',
  beats: 'beats',
  standout: 'what stands out',
};
const MOST_NAMED = 3; // items of a selection in words

/** Keys of selections; a selection is replaced, never changed.
 * @type {WeakMap<Item[], string>} */
const keys = new WeakMap();

/** The key of a selection, which its fills carry.
 * @param {Item[]} items */
export function keyOf(items) {
  const known = keys.get(items) ?? toPayload(items).key;
  keys.set(items, known);
  return known;
}

/** The selection that a variation was made with.
 * @param {import('../types').Variation} variation
 * @returns {Item[]} */
export function selectionOf({ key, proposal }) {
  if (proposal) return fromPayload(proposal.regions, proposal.specs);
  const [regions, specs] = key ? JSON.parse(key) : [[], []];
  return fromPayload(regions, specs);
}

/** The selection of a variation in words; empty for the whole sound.
 * @param {import('../types').Variation} variation */
export function whereOf(variation) {
  const items = selectionOf(variation);
  const words = items.slice(0, MOST_NAMED).map((item, k) => {
    const added = narrows(item) ? '· ' : '+ ';
    const before = item.op === 'subtract' ? '− ' : k ? added : '';
    return before + labelOf(item, format.channelNames(variation.scene));
  });
  const rest = items.length - words.length;
  return [...words, ...(rest > 0 ? ['and ' + rest + ' more'] : [])].join(' ');
}

/** Channels of the drawn scene.
 * @param {State} state */
export const channelsOf = ({ scene }) => scene?.channels ?? 1;

/** Whether a fill is one of the current selection.
 * @param {State} state
 * @param {{key: string}} fill */
export function answersSelection({ items, selectionAliases }, { key }) {
  const mine = keyOf(items);
  const isEmpty = key === '' && !items.length;
  return key === mine || selectionAliases.get(key) === mine || isEmpty;
}

/** Whether the selection is another than that of the shown fill.
 * @param {State} state */
export function isPending(state) {
  const fill = state.live || state.variation;
  return !fill || !answersSelection(state, fill);
}

/** Whether the fill that is shown is that of an example, which nobody has made.
 * @param {State} state */
const isUntouchedExample = (state) => !!state.example && isExampleShown(state);

/** Variations that the next fill does not start from, though they are elsewhere, and it may be made
 * at a click: that of the selection, or of what was found.
 * @param {State} state
 * @returns {import('../types').Variation[]} */
export function leftOut(state) {
  const { items, variations, findings, selectionAliases, busy } = state;
  if (busy || !variations.length || isUntouchedExample(state)) return [];
  if (items.length && !variations.some((v) => answersSelection(state, v))) return variations;
  const offered = findings
    .filter(({ fills }) => fills)
    .map(({ regions }) => toPayload(fromPayload(regions, [])).key);
  const isElsewhere = (/** @type {{key: string}} */ { key }) =>
    !offered.includes(selectionAliases.get(key) ?? key);
  return offered.length ? variations.filter(isElsewhere) : [];
}

/** What Extend, Widen and Brighten start from, where fills are not in it; else empty.
 * @param {State} state */
export function baseOfAdditions(state) {
  const fills = state.variations.filter(({ key }) => key); // others are additions
  return fills.length && !isUntouchedExample(state) ? baseOf(state, fills) : '';
}

/** The one of these variations that was shown last.
 * @param {State} state
 * @param {import('../types').Variation[]} variations */
export const lastShown = ({ lastChosenId }, variations) =>
  variations.find(({ id }) => id === lastChosenId) ?? variations.at(-1);

/** What fills start from, and which variations are not in it: "the original, without A".
 * @param {Pick<State, 'layers'>} state
 * @param {{label: string}[]} variations one at least */
export function baseOf({ layers }, variations) {
  const labels = variations.map(({ label }) => label);
  const names = labels.length > 1 ? labels.slice(0, -1).join(', ') + ' and ' : '';
  const base = layers.length ? 'last kept fill' : 'original';
  return 'the ' + base + ', without ' + names + labels.at(-1);
}

/** Whether the selection is still that of the example that was loaded.
 * @param {State} state */
export const isExampleShown = (state) =>
  !!state.proposalId && answersSelection(state, { key: state.proposalId });

/** The status line: what the page waits for, or else the last status.
 * @param {State} state */
export function statusOf(state) {
  const { ahead, busy, status } = state;
  if (busy) return status;
  if (!ahead) return searchOf(state) || status;
  return 'Waiting for ' + (ahead > 1 ? 'other fills' : 'another fill') + ' (' + ahead + ' ahead) …';
}

/** Whether Python has said which atoms the selected parts take; where they narrow the selection,
 * which atoms it takes.
 * @param {State} state */
export function arePartsKnown(state) {
  const { items, partBits } = state;
  if (!partBits) return false;
  if (items.some(narrows)) return answersSelection(state, partBits);
  return partBits.key === JSON.stringify(toPayload(items).specs);
}

/** What the page says while Python ranks the atoms of selected parts; empty once they are known.
 * @param {State} state */
export function searchOf(state) {
  const { items, describedKey } = state;
  const specs = items.flatMap(({ part }) => part ?? []);
  if (!specs.length || arePartsKnown(state) || describedKey === keyOf(items)) return '';
  const sought = specs.map((spec) => SOUGHT[spec.split(':')[0]]).find(Boolean);
  return sought ? 'Looking for ' + sought + ' …' : 'Counting …';
}

/** Whether MDCT atoms are drawn for a fill on top of matching-pursuit atoms.
 * @param {State} state */
export const isFillPlane = ({ base, scene }) => isPursuit(base) && !isPursuit(scene);

/** Audible atoms of the version that is shown; those of a fill are counted if all are drawn.
 * @param {State} state */
export function audibleCount({ scene, shown, variation, version }) {
  const { count = 0, total = 0 } = scene ?? {};
  const isFilled = shown && variation && version === 'filled' && count === total;
  return isFilled ? shown.count : total;
}

/** Whether the variation that is heard adds a channel to a mono sound.
 * @param {State} state */
export function isWidened({ base, heardId, variations }) {
  const heard = variations.find(({ id }) => id === heardId);
  return base?.channels === 1 && heard?.scene.channels === 2;
}

/** How a fill is changed: as its sliders say, or before they were moved, its session file.
 * @param {State} state
 * @param {number | null} id of its variation
 * @returns {import('../types').Shape} */
export const shapeOfFill = ({ shapes, variations }, id) =>
  (id === null ? null : (shapes.get(id) ?? variations.find((v) => v.id === id)?.shape)) ?? NEUTRAL;

/** The version that is exported: versions that only the page has are not.
 * @param {State} state
 * @returns {import('../types').Version} */
export const exportedVersion = ({ version, variation }) =>
  version === 'first' || (version === 'masked' && !variation) ? 'original' : version;
