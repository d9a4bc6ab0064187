// Matching-pursuit atoms: of several window lengths ("scales"), each with its own extent in time
// and frequency. In a scene with scales, `hop` is the unit of time and `bins` the number of bins of
// the longest window.

import { emptyAtoms, HIDDEN, tintOf } from './atoms.js';

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Scene} Scene */
/** @typedef {import('../types').Plane} Plane */

/** Whether a scene has matching-pursuit atoms.
 * @param {Pick<Scene, 'scales'> | null | undefined} scene */
export const isPursuit = (scene) => !!(scene && scene.scales && scene.scales.length);

/** Atoms from the bytes that pursuit.py packed.
 * @param {ArrayBuffer} buffer
 * @param {number} count */
export function unpackPursuit(buffer, count) {
  const flags = new Uint8Array(buffer, 8 * count, count);
  const atoms = emptyAtoms(
    count,
    new Uint32Array(buffer, 0, count),
    new Uint16Array(buffer, 4 * count, count),
    new Uint16Array(buffer, 6 * count, count),
  );
  for (let i = 0; i < count; i++) {
    atoms.sign[i] = flags[i] & 1;
    atoms.channel[i] = (flags[i] >> 1) & 7;
  }
  return Object.assign(atoms, { scale: new Uint8Array(buffer, 9 * count, count) });
}

/** Length of an atom's window in samples.
 * @param {Scene} scene
 * @param {Atoms} atoms
 * @param {number} i */
export const windowLength = (scene, atoms, i) =>
  /** @type {number[]} */ (scene.scales)[/** @type {Uint8Array} */ (atoms.scale)[i]];

/** Centre of an atom in seconds and Hz, half of its window in seconds, and its tile of the plane.
 * @param {Scene} scene
 * @param {Atoms} atoms
 * @param {number} i */
export function extentOf(scene, atoms, i) {
  const scales = /** @type {number[]} */ (scene.scales);
  const length = windowLength(scene, atoms, i);
  const t = (atoms.frame[i] * scene.hop) / scene.rate;
  const width = scene.rate / length;
  // `bin` counts bins of the longest window; the atom lies in the middle of a bin of its own
  const ratio = scales[scales.length - 1] / length;
  const f = (Math.floor(atoms.bin[i] / ratio) + 0.5) * width;
  const side = length / 4 / scene.rate;
  return {
    t,
    f,
    reach: length / 2 / scene.rate,
    from: t - side,
    to: t + side,
    low: f - width / 2,
    high: f + width / 2,
  };
}

/** Draw atoms into pixels as `drawAtoms`, each as its tile, loud ones last.
 * @param {Uint32Array} pixels
 * @param {Atoms} atoms
 * @param {Plane} plane
 * @param {Uint32Array[]} tables colour of (row * 256 + velocity), by the step of the tint by sign
 * @param {Scene} scene */
export function drawPursuit(pixels, atoms, plane, tables, scene) {
  const { width, ratio, lanes, unit } = plane;
  const [t0, t1] = plane.t;
  const [u0, u1] = plane.u;
  const minPixels = Math.ceil(1.5 * ratio);
  const { count, channel, colourRow, velocity } = atoms;
  const x = (/** @type {number} */ t) => ((t - t0) / (t1 - t0)) * width;
  for (let i = 0; i < count; i++) {
    if (colourRow[i] === HIDDEN) continue;
    const { from, to, low, high } = extentOf(scene, atoms, i);
    if (to < t0 || from > t1) continue;
    const lane = lanes.find((l) => l.channel === null || l.channel === channel[i]);
    if (!lane) continue;
    const [left, right] = pixelSpan(x(from), x(to), 0, width, minPixels);
    const y = (/** @type {number} */ f) => lane.top + ((u1 - unit(f)) / (u1 - u0)) * lane.height;
    const [top, bottom] = pixelSpan(
      y(high),
      y(Math.max(low, 0)),
      lane.top,
      lane.top + lane.height,
      minPixels,
    );
    const size = Math.min(right - left, bottom - top) / ratio;
    const table = tables[tintOf(size, plane.tintPixels ?? [0, 1], tables.length)];
    const colour = table[colourRow[i] * 256 + (velocity[i] >> 8)];
    for (let row = top; row < bottom; row++)
      pixels.fill(colour, row * width + left, row * width + right);
  }
}

/** First and one-past-last pixel of a span within limits; an empty span if it lies outside.
 * @param {number} a
 * @param {number} b
 * @param {number} from
 * @param {number} to
 * @param {number} minPixels */
function pixelSpan(a, b, from, to, minPixels) {
  if (b < from || a > to) return [from, from];
  const low = Math.round(a);
  const missing = Math.max(0, minPixels - (Math.round(b) - low));
  const start = low - (missing >> 1);
  return [Math.max(from, start), Math.min(to, Math.max(Math.round(b), start + minPixels))];
}

/** Index of the loudest drawn atom whose tile lies within `reach` CSS pixels of a pixel, or -1.
 * @param {Atoms} atoms
 * @param {Plane} plane
 * @param {Scene} scene
 * @param {number} x
 * @param {number} y
 * @param {number} [reach] */
export function nearestPursuit(atoms, plane, scene, x, y, reach = 4) {
  const lane = plane.lanes.find((l) => y >= l.top && y <= l.top + l.height);
  if (!lane) return -1;
  const [t0, t1] = plane.t;
  const [u0, u1] = plane.u;
  const far = reach * plane.ratio;
  const across = (/** @type {number} */ t) => ((t - t0) / (t1 - t0)) * plane.width;
  const along = (/** @type {number} */ f) =>
    lane.top + ((u1 - plane.unit(f)) / (u1 - u0)) * lane.height;
  for (let i = atoms.count - 1; i >= 0; i--) {
    // loud ones come last
    if (atoms.colourRow[i] === HIDDEN) continue;
    if (lane.channel !== null && lane.channel !== atoms.channel[i]) continue;
    const { from, to, low, high } = extentOf(scene, atoms, i);
    if (
      across(from) - far <= x &&
      x <= across(to) + far &&
      along(high) - far <= y &&
      y <= along(Math.max(low, 0)) + far
    )
      return i;
  }
  return -1;
}
