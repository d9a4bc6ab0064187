// Copy and paste: the selected atoms placed at another time.

import { timeRangeOf } from '../state/selection.js';
import { boundsOf, shapeOf } from '../state/shapes.js';

/** @typedef {import('../types').Item} Item */

/** Whether a place is known where an item begins.
 * @param {Item} item */
export function canBeCopied(item) {
  if (item.part || item.everything) return false;
  return item.op === 'subtract' || boundsOf(item).t?.[0] != null;
}

/** Items moved in time.
 * @param {Item[]} items
 * @param {number} seconds */
export const movedInTime = (items, seconds) =>
  items.map((item) =>
    shapeOf(item).move(
      item,
      (t) => t + seconds,
      (f) => f,
    ),
  );

/** The items that begin before the end of a sound; later ones hold no atom.
 * @param {Item[]} items
 * @param {number} duration seconds */
export const beforeTheEnd = (items, duration) =>
  items.filter((item) => (boundsOf(item).t?.[0] ?? 0) < duration);

/** Seconds from the start of a selection to a place, in whole frames: atoms lie on them.
 * @param {number} start
 * @param {number} place
 * @param {number} perFrame */
export const shiftTo = (start, place, perFrame) =>
  Math.round((place - start) / perFrame) * perFrame;

/** The atoms that were copied, as the selection that they were in. */
export class Clipboard {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
  }

  copy() {
    const { items, store } = this.view;
    if (!items.length) return;
    if (!items.every(canBeCopied)) {
      this.view.showError('Only regions with a start can be copied: draw a box.');
      return;
    }
    store.set({ clipboard: items });
    this.view.showStatus('Copied: paste it at the pointer or the playhead (Ctrl V).');
  }

  /** Select the copied regions at the pointer, or else at the playhead, and place atoms there. */
  paste() {
    const { state, picture, player, display, editor } = this.view;
    const { scene, clipboard, busy } = state;
    const range = timeRangeOf(clipboard, picture.duration);
    if (!scene || !range || busy) return;
    const place = display.pointer?.t ?? player.position();
    const shift = shiftTo(range[0], place, scene.hop / scene.rate);
    if (!shift) {
      this.view.showError('Move the pointer or the playhead to where it is to be pasted.');
      return;
    }
    const moved = beforeTheEnd(movedInTime(clipboard, shift), picture.duration);
    editor.change(moved, { active: moved.length === 1 ? 0 : -1 });
    this.view.trigger('paste', { shift: -shift });
  }
}
