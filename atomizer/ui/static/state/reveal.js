// Filled-in atoms appear on the picture in the ordering of their fill.

import { emptyAtoms, FILLED } from '../plot/atoms.js';
import { orderAtoms, ranksOf } from './orderings.js';

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Scene} Scene */

const DURATION_MS = 1200;

/** Rank of every filled-in atom among them, 0 for all others; and how many there are.
 * @param {Atoms} atoms
 * @param {Scene} scene
 * @param {string} order
 * @param {boolean} reverse */
export function revealRanks(atoms, scene, order, reverse) {
  const filled = [];
  for (let i = 0; i < atoms.count; i++) if (atoms.state[i] === FILLED) filled.push(i);
  const part = emptyAtoms(
    filled.length,
    Uint16Array.from(filled, (i) => atoms.frame[i]),
    Uint16Array.from(filled, (i) => atoms.bin[i]),
  );
  part.channel = Uint8Array.from(filled, (i) => atoms.channel[i]);
  const partRanks = ranksOf(orderAtoms(part, order, scene), reverse);
  const ranks = new Uint32Array(atoms.count);
  filled.forEach((i, k) => (ranks[i] = partRanks[k]));
  return { ranks, total: filled.length };
}

/** Call `show` with the number of atoms that have appeared, once per picture, until all have.
 * Returns a function that ends it at once.
 * @param {number} total
 * @param {(count: number | null) => void} show null at the end: all of them */
export function animateReveal(total, show) {
  const began = performance.now();
  let isOver = false;
  const step = () => {
    if (isOver) return;
    const share = (performance.now() - began) / DURATION_MS;
    if (share >= 1) end();
    else {
      show(Math.round(total * share));
      requestAnimationFrame(step);
    }
  };
  const end = () => {
    if (isOver) return;
    isOver = true;
    show(null);
  };
  step();
  return end;
}
