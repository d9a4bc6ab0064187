// Magic wand: selects the atoms that are connected to the clicked one and about as loud.

import { outlineOf } from '../state/outline.js';
import { baseOf } from './tool.js';

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Scene} Scene */

const REACH = [2, 1]; // frames and bins between connected atoms: atoms of a tone have gaps
const MAX_CELLS = 300_000;
const TOP = 65535; // highest velocity

/** Velocity of the loudest atom of each (frame, bin) cell, plus 1; 0 for none.
 * @param {Atoms} atoms
 * @param {Scene} scene
 * @param {number | null} channel null for all */
function velocityGrid(atoms, scene, channel) {
  const grid = new Uint16Array(scene.frames * scene.hop);
  for (let i = 0; i < atoms.count; i++) {
    if (channel !== null && atoms.channel[i] !== channel) continue;
    const cell = atoms.frame[i] * scene.hop + atoms.bin[i];
    grid[cell] = Math.max(grid[cell], Math.min(TOP, atoms.velocity[i] + 1));
  }
  return grid;
}

/** The loudest cell within `REACH` of a cell: a click beside a partial means the partial.
 * @param {Uint16Array} grid of `velocityGrid`
 * @param {number} cell
 * @param {Scene} scene */
function loudestNear(grid, cell, { frames, hop }) {
  const [m, k] = [Math.floor(cell / hop), cell % hop];
  let best = cell;
  for (let frame = Math.max(0, m - REACH[0]); frame <= Math.min(frames - 1, m + REACH[0]); frame++)
    for (let bin = Math.max(0, k - REACH[1]); bin <= Math.min(hop - 1, k + REACH[1]); bin++)
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
  const grid = velocityGrid(atoms, scene, channel);
  const first = loudestNear(grid, atoms.frame[start] * hop + atoms.bin[start], scene);
  const tolerance = (TOP * drop) / -scene.floor_db;
  const [least, most] = [Math.max(1, grid[first] - tolerance), grid[first] + tolerance];
  const found = new Set([first]);
  const queue = [first];
  while (queue.length && found.size < MAX_CELLS) {
    const cell = /** @type {number} */ (queue.pop());
    const [m, k] = [Math.floor(cell / hop), cell % hop];
    for (let dm = -REACH[0]; dm <= REACH[0]; dm++)
      for (let dk = -REACH[1]; dk <= REACH[1]; dk++) {
        const [frame, bin] = [m + dm, k + dk];
        if (frame < 0 || frame >= frames || bin < 0 || bin >= hop) continue;
        const next = frame * hop + bin;
        if (grid[next] < least || grid[next] > most || found.has(next)) continue;
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
