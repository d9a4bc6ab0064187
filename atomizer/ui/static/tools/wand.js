// Magic wand: selects the atoms that are connected to the clicked one and about as loud.

import { decibelsOf } from '../plot/atoms.js';
import { outlineOf } from '../state/outline.js';
import { baseOf } from './tool.js';

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Scene} Scene */

const MEAN_FRAMES = 2; // to either side: a tone's single atoms go up and down with its phase
const NEAR = [2, 1]; // frames and bins: a click beside a partial means the partial
const MAX_CELLS = 300_000;

/** Level in dB of each (frame, bin) cell, as the mean power of its and the neighbouring frames;
 * -Infinity for none.
 * @param {Atoms} atoms
 * @param {Scene} scene
 * @param {number | null} channel null for the louder one of all */
function levelGrid(atoms, scene, channel) {
  const { frames, hop } = scene;
  const power = new Float32Array(frames * hop);
  for (let i = 0; i < atoms.count; i++) {
    if (channel !== null && atoms.channel[i] !== channel) continue;
    const cell = atoms.frame[i] * hop + atoms.bin[i];
    power[cell] = Math.max(power[cell], 10 ** (decibelsOf(atoms.velocity[i], scene) / 10));
  }
  return power.map((_, cell) => {
    const m = Math.floor(cell / hop);
    const from = Math.max(0, m - MEAN_FRAMES);
    const to = Math.min(frames - 1, m + MEAN_FRAMES);
    let sum = 0;
    for (let frame = from; frame <= to; frame++) sum += power[frame * hop + (cell % hop)];
    return 10 * Math.log10(sum / (to - from + 1));
  });
}

/** The loudest cell within `NEAR` of a cell.
 * @param {Float32Array} grid of `levelGrid`
 * @param {number} cell
 * @param {Scene} scene */
function loudestNear(grid, cell, { frames, hop }) {
  const [m, k] = [Math.floor(cell / hop), cell % hop];
  let best = cell;
  for (let frame = Math.max(0, m - NEAR[0]); frame <= Math.min(frames - 1, m + NEAR[0]); frame++)
    for (let bin = Math.max(0, k - NEAR[1]); bin <= Math.min(hop - 1, k + NEAR[1]); bin++)
      if (grid[frame * hop + bin] > grid[best]) best = frame * hop + bin;
  return best;
}

/** Cells that are connected to the loudest one beside an atom, and within `drop` dB of its level.
 * @param {Atoms} atoms
 * @param {Scene} scene
 * @param {number} start index of the atom
 * @param {{drop: number, channel: number | null}} options
 * @returns {Set<number>} of frame * hop + bin */
export function connectedCells(atoms, scene, start, { drop, channel }) {
  const { frames, hop } = scene;
  const grid = levelGrid(atoms, scene, channel);
  const first = loudestNear(grid, atoms.frame[start] * hop + atoms.bin[start], scene);
  const found = new Set([first]);
  const queue = [first];
  while (queue.length && found.size < MAX_CELLS) {
    const cell = /** @type {number} */ (queue.pop());
    const [m, k] = [Math.floor(cell / hop), cell % hop];
    for (const [frame, bin] of [
      [m - 1, k],
      [m + 1, k],
      [m, k - 1],
      [m, k + 1],
    ]) {
      if (frame < 0 || frame >= frames || bin < 0 || bin >= hop) continue;
      const next = frame * hop + bin;
      if (!(Math.abs(grid[next] - grid[first]) <= drop) || found.has(next)) continue;
      found.add(next);
      queue.push(next);
    }
  }
  return found;
}

/** @type {import('./tool.js').Tool} */
export const wand = {
  id: 'wand',
  key: 'w',
  label: 'Wand',
  title: 'Magic wand: click to select connected atoms',
  help: 'magic wand: connected atoms that are about as loud',
  icon:
    '<path d="M3 17L12 8M14 2.500v3M14 9v2M9.800 6h2M16 6h2M10.500 3l1.400 1.300' +
    'M17 3.200l-1.200 1.200" />',
  cursor: 'crosshair',
  isPoint: true,

  toRegion(points, picture, options) {
    const { atoms, scene } = picture;
    const start = picture.atomAt(points[0]);
    if (start < 0 || !atoms || atoms.scale) return null; // tiles of a pursuit have no grid
    const { lane } = points[0];
    const cells = connectedCells(atoms, scene, start, {
      drop: options.drop,
      channel: lane.channel,
    });
    return {
      kind: 'lasso',
      ...baseOf(points, options),
      scale: 'linear',
      points: outlineOf(cells, scene),
    };
  },
};
