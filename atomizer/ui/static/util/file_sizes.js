// How large the atoms of a scene become as files, from what is known of it before they are made.

import { isPursuit } from '../plot/pursuit.js';

// bytes of an audible atom as a line of text, and of any atom in a compressed file; means over the example sounds
const BYTES = { csv: 51, npz: 4.6 },
  BYTES_OF_PURSUIT = { csv: 55, npz: 12 };

/** Bytes of a "csv" or "npz" file, roughly. */
export function sizeOf(kind, scene) {
  if (isPursuit(scene)) return BYTES_OF_PURSUIT[kind] * scene.total;
  return (
    BYTES[kind] *
    (kind === 'csv' ? scene.total : scene.channels * scene.frames * (scene.bins || scene.hop))
  );
}
