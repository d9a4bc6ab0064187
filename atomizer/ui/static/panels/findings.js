// What was found in the sound: one line with a button each.

import { setChildren } from '../util/children.js';

/** @typedef {import('../types').Finding} Finding */

/** Show findings; the buttons have their indices.
 * @param {HTMLElement} panel
 * @param {Finding[]} findings */
export function showFindings(panel, findings) {
  panel.hidden = !findings.length;
  setChildren(
    panel,
    findings.map(({ text, action }, index) => {
      const row = document.createElement('span');
      const button = document.createElement('button');
      Object.assign(button, { type: 'button', className: 'link', textContent: action });
      button.dataset.finding = String(index);
      row.append(text + ' ', button);
      return row;
    }),
  );
}
