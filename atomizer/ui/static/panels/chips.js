// The list of selected items: one chip each, with a button that chooses it and one that removes it.

import { labelOf } from '../state/selection.js';
import { scrollTo, setChildren } from '../util/children.js';

/** @typedef {import('../types').Item} Item */

/** @param {Item} item
 * @param {number} index
 * @param {boolean} isActive
 * @param {string[]} names of the channels */
function chipOf(item, index, isActive, names) {
  const isSubtracted = item.op === 'subtract';
  const label = labelOf(item, names);
  const chip = document.createElement('span');
  chip.className = 'chip' + (isSubtracted ? ' subtract' : '') + (isActive ? ' active' : '');

  const choose = document.createElement('button');
  choose.type = 'button';
  choose.textContent = (isSubtracted ? '− ' : '') + label;
  choose.title = 'Choose it: arrows move it, Delete removes it';
  choose.dataset.chip = String(index);
  choose.setAttribute('aria-pressed', String(isActive));

  const remove = document.createElement('button');
  remove.type = 'button';
  remove.textContent = '×';
  remove.title = 'Remove this from the selection';
  remove.setAttribute('aria-label', 'Remove ' + label);
  remove.dataset.remove = String(index);

  chip.append(choose, remove);
  return chip;
}

/** Fill the list; a chip that had the focus keeps it.
 * @param {HTMLElement} list
 * @param {Item[]} items
 * @param {number} active index
 * @param {string[]} names of the channels */
export function showChips(list, items, active, names) {
  const { activeElement } = document;
  const focused = list.contains(activeElement)
    ? /** @type {HTMLElement} */ (activeElement).dataset.chip
    : undefined;
  setChildren(
    list,
    items.map((item, k) => chipOf(item, k, k === active, names)),
  );
  const chosen = list.querySelector('.active');
  if (chosen) scrollTo(list, chosen);
  if (focused === undefined) return;
  /** @type {HTMLElement | null} */ (list.querySelector('[data-chip="' + focused + '"]'))?.focus();
}
