// What the next fill starts from, before it is pressed, and a button that keeps a fill first.

import { baseOf, lastShown, leftOut } from '../state/selectors.js';

/** Show it where variations are not in it.
 * @param {import('../types').Find} find
 * @param {Readonly<import('../types').ViewState>} state */
export function showBase(find, state) {
  const variations = leftOut(state);
  const kept = lastShown(state, variations);
  find('base').hidden = !kept;
  if (!kept) return;
  find('base-text').textContent = 'The next fill starts from ' + baseOf(state, variations) + '.';
  find('keep-first').textContent = 'Keep ' + kept.label + ' first';
}
