// Keyboard shortcuts: one table for the actions of keys and for the sheet that lists them.

import { SELECTION_TOOLS, VIEW_TOOLS } from '../tools/registry.js';

/**
 * @typedef {object} Shortcut
 * @property {string[]} keys as event.key in lower case, "ctrl+" and "shift+" in front
 * @property {string} shown on the sheet
 * @property {string} action name of an action of view.js
 * @property {string} help
 */

/** @param {string} key
 * @param {string} action
 * @param {string} help
 * @param {string} [shown]
 * @param {string[]} [others] more keys
 * @returns {Shortcut} */
const row = (key, action, help, shown = key.toUpperCase(), others = []) => ({
  keys: [key, ...others],
  shown,
  action,
  help,
});

/** @param {import('../tools/registry.js').Tool} tool */
const toolRow = ({ key, id, help }) => row(key, id, help);

/** @type {{group: string, rows: Shortcut[]}[]} */
export const SHORTCUTS = [
  {
    group: 'Listen',
    rows: [
      row(' ', 'play', 'play or pause', 'space'),
      row('1', 'original', 'original'),
      row('2', 'masked', 'masked: without the unknown atoms'),
      row('3', 'filled', 'filled in'),
      row('4', 'change', 'only what was filled in'),
      row('5', 'first', 'the first atoms of the ordering'),
      row('[', 'previous', 'previous variation'),
      row(']', 'next', 'next variation'),
      row('r', 'loop', 'loop the selected time, with half a second around it'),
      row('enter', 'playSelection', 'play the selected time once', 'Enter'),
      row('m', 'match', 'match levels'),
      row('arrowleft', 'back', 'back one second; with the move tool, move the region', '←'),
      row('arrowright', 'ahead', 'ahead one second', '→'),
    ],
  },
  {
    group: 'Erase and fill in',
    rows: [
      row('e', 'erase', 'erase: hear the sound without the selected atoms'),
      row('f', 'fill', 'fill in'),
      row('.', 'stop', 'stop a fill', '.'),
      row('ctrl+s', 'saveSession', 'save the session as a file', 'Ctrl S'),
    ],
  },
  {
    group: 'Select',
    rows: [
      ...SELECTION_TOOLS.map(toolRow),
      row('a', 'union', 'add what is drawn (or hold Shift)'),
      row('s', 'subtract', 'subtract what is drawn (or hold Alt)'),
      row('g', 'snap', 'snap the box to the nearest partial'),
      row('d', 'similar', 'select the same again: places like the box'),
      row('u', 'standout', 'only what stands out from around the selection, or all of it again'),
      row('i', 'invert', 'invert'),
      row('delete', 'remove', 'remove the chosen region', 'Del', ['backspace']),
      row('escape', 'clear', 'clear the selection', 'Esc'),
      row('ctrl+c', 'copy', 'copy the selected atoms', 'Ctrl C'),
      row('ctrl+v', 'paste', 'paste them at the pointer or playhead', 'Ctrl V'),
      row('ctrl+z', 'undo', 'undo', 'Ctrl Z'),
      row('ctrl+shift+z', 'redo', 'redo', 'Ctrl ⇧ Z', ['ctrl+y']),
    ],
  },
  {
    group: 'View',
    rows: [
      ...VIEW_TOOLS.map(toolRow),
      row('+', 'closer', 'zoom in', '+', ['=']),
      row('-', 'farther', 'zoom out', '−'),
      row('0', 'fit', 'show all'),
      row('n', 'pitch', 'frequency axis in Hz or notes'),
      row('y', 'scale', 'next frequency axis: log, linear, mel'),
      row('c', 'colour', 'next colouring'),
      row('o', 'order', 'orderings: see and hear them'),
      row('?', 'keys', 'this sheet'),
    ],
  },
];

const ACTIONS = new Map(
  SHORTCUTS.flatMap(({ rows }) => rows.flatMap(({ keys, action }) => keys.map((k) => [k, action]))),
);

/** The action of a key event, or undefined.
 * @param {Pick<KeyboardEvent, 'key' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>} event */
export function actionOf(event) {
  const key = event.key.toLowerCase();
  if (event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey)
    return ACTIONS.get('ctrl+' + (event.shiftKey ? 'shift+' : '') + key);
  return ACTIONS.get(key);
}

/** Fill the sheet.
 * @param {HTMLElement} sheet */
export function showShortcuts(sheet) {
  sheet.replaceChildren(
    ...SHORTCUTS.map(({ group, rows }) => {
      const section = document.createElement('section');
      const heading = document.createElement('h4');
      const table = document.createElement('dl');
      heading.textContent = group;
      for (const { shown, help } of rows) {
        const term = document.createElement('dt');
        const cap = document.createElement('kbd');
        cap.textContent = shown;
        term.append(cap);
        const text = Object.assign(document.createElement('dd'), { textContent: help });
        table.append(term, text);
      }
      section.append(heading, table);
      return section;
    }),
  );
}
