// All tools, in the order of the toolbar. Buttons, keys and the shortcut sheet follow from it.

import { box } from './box.js';
import { brush, harmonics } from './brush.js';
import { lasso } from './lasso.js';
import { move, pan, scroll, zoom } from './navigation.js';
import { wand } from './wand.js';

/** @typedef {import('./tool.js').Tool} Tool */

/** Tools that select or edit. */
export const SELECTION_TOOLS = [box, lasso, brush, harmonics, wand, move];

/** Tools that change the visible range. */
export const VIEW_TOOLS = [zoom, pan];

export const TOOLS = [scroll, ...SELECTION_TOOLS, ...VIEW_TOOLS];

/** @type {Map<string, Tool>} */
const BY_ID = new Map(TOOLS.map((tool) => [tool.id, tool]));

/** @param {string} id
 * @returns {Tool} */
export const toolOf = (id) => BY_ID.get(id) ?? box;

/** Fill the group of tool buttons.
 * @param {HTMLElement} group */
export function showTools(group) {
  group.replaceChildren(
    ...TOOLS.map((tool) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.act = tool.id;
      button.title = tool.title + (tool.key ? ' (' + tool.key.toUpperCase() + ')' : '');
      if (tool.isTouchOnly) button.className = 'touch-only';
      button.setAttribute('role', 'radio');
      button.setAttribute('aria-label', tool.label);
      button.innerHTML = '<svg viewBox="0 0 20 20">' + tool.icon + '</svg>';
      if (tool.hasText)
        button.append(Object.assign(document.createElement('b'), { textContent: tool.label }));
      return button;
    }),
  );
}
