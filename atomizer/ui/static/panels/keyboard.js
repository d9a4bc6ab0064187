// Key presses: shortcuts, arrows that move a region, arrows within a group of radio buttons.

import { actionOf } from './shortcuts.js';

/** @type {Record<string, [number, number]>} */
const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** Move the focus within a group of radio buttons, and choose the button.
 * @param {KeyboardEvent} event */
function stepRadio(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const group = /** @type {Element} */ (target.closest('[role=radiogroup]'));
  /** @type {NodeListOf<HTMLElement>} */
  const radios = group.querySelectorAll('[role=radio]:not([disabled]):not([hidden])');
  const all = [...radios];
  const step = /Right|Down/.test(event.key) ? 1 : -1;
  const next = all[(all.indexOf(target) + step + all.length) % all.length];
  event.preventDefault();
  next.focus();
  next.click();
}

/** Whether a field uses a key itself: text fields all of them, menus all but the digits.
 * @param {KeyboardEvent} event */
function isTyped({ key, target }) {
  const { tagName, type, readOnly } = /** @type {HTMLInputElement} */ (target);
  if (tagName === 'SELECT' || readOnly) return !/^[1-5]$/.test(key);
  if (!/^(range|checkbox|radio)$/.test(type)) return true;
  return /^Arrow|^ $|Enter|Home|End|Page/.test(key);
}

/** Shortcuts work unless a dialog is open, or the focused field or button uses the key.
 * @param {import('../view.js').View} view
 * @param {KeyboardEvent} event */
export function handleKey(view, event) {
  const { root } = view;
  const { key } = event;
  const target = /** @type {HTMLElement} */ (event.target);
  if (root.querySelector('dialog[open]')) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) {
    if (key === 'Enter' && target.closest('.presets')) view.act('preset');
    if (isTyped(event)) return;
  }
  if (target.getAttribute('role') === 'radio' && /^Arrow/.test(key)) {
    stepRadio(event);
    return;
  }
  if (target.isContentEditable) return;
  const isPressed =
    (key === ' ' || key === 'Enter') && /^(BUTTON|SUMMARY|A|LABEL)$/.test(target.tagName);
  if (isPressed) return;
  const arrow = ARROWS[key];
  if (arrow && (view.state.tool === 'move' || target.dataset.chip !== undefined)) {
    if (view.editor.nudge(...arrow, event.shiftKey)) event.preventDefault();
    return;
  }
  const menu = view.find('export-menu');
  if (key === 'Escape' && menu.open) {
    menu.open = false;
    return;
  }
  const action = actionOf(event);
  if (!action || (action === 'copy' && String(getSelection()))) return; // of text
  event.preventDefault();
  if (action === 'keys') view.find('keys').showModal();
  else view.act(action);
}
