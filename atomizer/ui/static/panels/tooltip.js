// The tooltip of an atom: place and pitch, velocity and sign, rank.

import { decibelsOf, FILLED, UNKNOWN } from '../plot/atoms.js';
import { extentOf, windowLength } from '../plot/pursuit.js';
import { isPending } from '../state/selectors.js';
import * as format from '../util/format.js';

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../view.js').View} View */

const WIDTH = 190; // CSS pixels
const HEIGHT = 120;
const GAP = { x: 14, y: 12 };

/** @param {View} view
 * @param {Atoms} atoms
 * @param {number} i */
function stateText(view, atoms, i) {
  if (atoms.state[i] === FILLED) return ' · filled in';
  const isUnknown = atoms.state[i] === UNKNOWN || (isPending(view.state) && atoms.selected[i]);
  return isUnknown ? ' · unknown' : '';
}

/** Lines about an atom.
 * @param {View} view
 * @param {Atoms} atoms
 * @param {number} i */
function describeAtom(view, atoms, i) {
  const { state, picture, orders } = view;
  const { scene } = state;
  const { axes } = picture;
  if (!scene || !axes) return [];
  const f = atoms.scale ? extentOf(scene, atoms, i).f : axes.hertz[atoms.bin[i]];
  const time = (atoms.frame[i] * axes.perFrame).toFixed(3) + ' s';
  const channel = scene.channels > 1 ? ' · ' + format.channelNames(scene)[atoms.channel[i]] : '';
  const velocity = format.decibels(decibelsOf(atoms.velocity[i], scene));
  const sign = ' · sign ' + (atoms.sign[i] ? '+' : '−');
  const lines = [
    format.hertz(f) + '  ' + format.note(f),
    time + channel,
    velocity + sign + stateText(view, atoms, i),
  ];
  if (atoms.scale) lines.push(format.count(windowLength(scene, atoms, i)) + ' samples long');
  const rank = orders.knownRank(state.original, atoms.source ? atoms.source[i] : i);
  if (rank !== null) {
    const name = format.ordering(orders.name) + (orders.reverse ? ', reversed' : '');
    lines.push('rank ' + format.count(rank + 1) + ' ' + name);
  }
  return lines;
}

/** Show the tooltip of the atom at the pointer, or hide it.
 * @param {View} view
 * @param {import('../types').PlanePoint | null} pointer */
export function showTooltip(view, pointer) {
  const { picture } = view;
  const tip = view.find('tip');
  const i = pointer ? picture.atomAt(pointer) : -1;
  tip.hidden = i < 0;
  if (i < 0 || !pointer || !picture.atoms) return;
  tip.replaceChildren(
    ...describeAtom(view, picture.atoms, i).map((textContent, k) =>
      Object.assign(document.createElement(k ? 'span' : 'b'), { textContent }),
    ),
  );
  const { width, height } = picture.size;
  const isRight = pointer.x > picture.left + picture.width - WIDTH;
  const isLow = pointer.y > height - HEIGHT;
  Object.assign(tip.style, {
    left: isRight ? '' : pointer.x + GAP.x + 'px',
    right: isRight ? width - pointer.x + GAP.x + 'px' : '',
    top: isLow ? '' : pointer.y + GAP.y + 'px',
    bottom: isLow ? height - pointer.y + GAP.y + 'px' : '',
  });
}
