// Estimated sizes of exported atoms.

import { isPursuit } from '../plot/pursuit.js';

// bytes per audible atom as a line of text, and per atom in a compressed file: means over the
// example sounds
const BYTES = { csv: 51, npz: 4.6 };
const BYTES_OF_PURSUIT = { csv: 55, npz: 12 };

/** Approximate number of bytes of an export.
 * @param {'csv' | 'npz'} kind
 * @param {import('../types').Scene} scene */
export function estimateFileSize(kind, scene) {
  if (isPursuit(scene)) return BYTES_OF_PURSUIT[kind] * scene.total;
  const all = scene.channels * scene.frames * (scene.bins || scene.hop);
  return BYTES[kind] * (kind === 'csv' ? scene.total : all);
}
