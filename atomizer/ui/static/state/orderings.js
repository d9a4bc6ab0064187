// Orderings of a scene's atoms, as atoms/orderings.py: which atoms come first, and the quality of
// the first n of them. The random one has its own shuffle; everything else agrees with Python.

import { audibilityOf } from './audibility.js';

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Scene} Scene */

const AUDIBILITY_STEP_DB = 0.005; // closer ones are ordered by time
/** Names in `ORDERINGS` of Python that `orderAtoms` has a branch for. */
const NAMES = ['time', 'frequency', 'velocity', 'channel', 'random', 'audibility'];

/** Stable counting sort of an index array by a key.
 * @param {Uint32Array} index
 * @param {ArrayLike<number>} keys whole numbers below `size`
 * @param {number} size */
function sortBy(index, keys, size) {
  const starts = new Uint32Array(size + 1),
    out = new Uint32Array(index.length);
  for (let i = 0; i < index.length; i++) starts[keys[index[i]] + 1]++;
  for (let k = 1; k <= size; k++) starts[k] += starts[k - 1];
  for (let i = 0; i < index.length; i++) out[starts[keys[index[i]]]++] = index[i];
  return out;
}

/** Mulberry32: a small generator of random numbers in [0, 1).
 * @param {number} seed */
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Permutation of the atoms (Uint32Array): the index of the atom that comes first, second …
 * @param {Atoms} atoms
 * @param {string} name of the ordering
 * @param {Scene} scene
 * @param {number} [seed]
 * @throws {Error} if there is no such ordering here */
export function orderAtoms(atoms, name, scene, seed = 0) {
  if (!NAMES.includes(name))
    throw new Error('orderAtoms in state/orderings.js has no ordering "' + name + '".');
  const plain = Uint32Array.from({ length: atoms.count }, (_, i) => i);
  if (name === 'velocity') return plain.reverse(); // atoms are stored quiet ones first
  // every ordering breaks ties by time, then frequency, then channel; times are sorted by 16 bits
  // at a time, because those of a pursuit have more
  const bins = scene.bins || scene.hop;
  const low = atoms.frame.map((m) => m & 0xffff);
  const high = atoms.frame.map((m) => m >>> 16);
  let index = sortBy(
    sortBy(sortBy(sortBy(plain, atoms.channel, 8), atoms.bin, bins), low, 65536),
    high,
    (scene.frames >>> 16) + 1,
  );
  if (name === 'frequency') index = sortBy(index, atoms.bin, bins);
  if (name === 'channel') index = sortBy(index, atoms.channel, 8);
  if (name === 'audibility') {
    const level = audibilityOf(atoms, scene);
    let top = -Infinity;
    for (const value of level) top = Math.max(top, value);
    index = sortBy(
      index,
      level.map((value) => Math.min(65535, Math.round((top - value) / AUDIBILITY_STEP_DB))),
      65536,
    );
  }
  if (name === 'random') {
    const next = mulberry32(seed + 1);
    for (let i = index.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1)),
        kept = index[i];
      index[i] = index[j];
      index[j] = kept;
    }
  }
  return index;
}

/** Rank of every atom in a permutation, from its end if `reverse`.
 * @param {Uint32Array} permutation
 * @param {boolean} reverse */
export function ranksOf(permutation, reverse) {
  const ranks = new Uint32Array(permutation.length),
    last = permutation.length - 1;
  for (let n = 0; n <= last; n++) ranks[permutation[n]] = reverse ? last - n : n;
  return ranks;
}

/** Numbers of atoms at which a curve is drawn: about `points`, from 1 to all, evenly spaced in log.
 * @param {number} count
 * @param {number} [points] */
export function curveCounts(count, points = 120) {
  /** @type {number[]} */
  const out = [];
  for (let k = 0; k <= points; k++) {
    const n = Math.round(count ** (k / points));
    if (n !== out[out.length - 1]) out.push(n);
  }
  return count ? out : [];
}

/** Energy of the first 0, 1, 2 … atoms of a permutation.
 * @param {Uint32Array} permutation
 * @param {Float32Array} amplitude */
export function cumulativeEnergy(permutation, amplitude) {
  const sums = new Float64Array(permutation.length + 1);
  for (let n = 0; n < permutation.length; n++)
    sums[n + 1] = sums[n] + amplitude[permutation[n]] ** 2;
  return sums;
}

/**
 * Share of the energy and SNR in dB of the first n atoms, by Parseval (orthonormal transform).
 * @param {Float64Array} sums from `cumulativeEnergy`
 * @param {number} n
 * @param {boolean} reverse whether the first ones are those at the end
 * @param {number} whole energy of all coefficients, inaudible ones too
 */
export function qualityOf(sums, n, reverse, whole) {
  const last = sums.length - 1,
    sum = reverse ? sums[last] - sums[last - n] : sums[n],
    total = Math.max(whole, 1e-30);
  return {
    n,
    energy: Math.min(1, sum / total),
    snr: 10 * Math.log10(total / Math.max(total - sum, total * 1e-10)),
  };
}

/** Number of atoms for a slider from 0 to 1000: linear, or logarithmic for orders by level.
 * @param {number} position
 * @param {number} total
 * @param {string} name of the ordering */
export function countAtPosition(position, total, name) {
  if (position <= 0) return 0;
  if (position >= 1000) return total;
  return name === 'velocity' || name === 'audibility'
    ? Math.round(total ** (position / 1000))
    : Math.round((total * position) / 1000);
}

/** Number of atoms, ordered by time, up to `seconds`; from then on if `reverse`.
 * @param {Uint32Array} permutation
 * @param {ArrayLike<number>} frame
 * @param {number} perFrame seconds per frame
 * @param {number} seconds
 * @param {boolean} reverse */
export function countUntilTime(permutation, frame, perFrame, seconds, reverse) {
  let low = 0,
    high = permutation.length;
  while (low < high) {
    const middle = (low + high) >> 1,
      t = frame[permutation[middle]] * perFrame;
    if (reverse ? t < seconds : t <= seconds) low = middle + 1;
    else high = middle;
  }
  return reverse ? permutation.length - low : low;
}

/** Time in seconds of the n-th atom, ordered by time.
 * @param {Uint32Array} permutation
 * @param {ArrayLike<number>} frame
 * @param {number} perFrame seconds per frame
 * @param {number} n
 * @param {boolean} reverse
 * @param {number} duration */
export function timeOfCount(permutation, frame, perFrame, n, reverse, duration) {
  if (n <= 0) return reverse ? duration : 0;
  return frame[permutation[reverse ? permutation.length - n : n - 1]] * perFrame;
}
