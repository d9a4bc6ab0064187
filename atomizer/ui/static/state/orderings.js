// Orderings of a scene's atoms, the twins of orderings.py: which atoms come first, and what the first n of them are worth.
// The random one has a shuffle of its own; everything else agrees with Python.

/** Stable counting sort of an index array by a key; `keys` are whole numbers below `size`. */
function sortBy(index, keys, size) {
  const starts = new Uint32Array(size + 1),
    out = new Uint32Array(index.length);
  for (let i = 0; i < index.length; i++) starts[keys[index[i]] + 1]++;
  for (let k = 1; k <= size; k++) starts[k] += starts[k - 1];
  for (let i = 0; i < index.length; i++) out[starts[keys[index[i]]]++] = index[i];
  return out;
}

/** Mulberry32: a small generator of random numbers in [0, 1). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Permutation of the atoms (Uint32Array): the index of the atom that comes first, second … */
export function order(atoms, name, scene, seed = 0) {
  const plain = Uint32Array.from({ length: atoms.count }, (_, i) => i);
  if (name === 'velocity') return plain.reverse(); // they come quiet ones first
  // every ordering breaks ties by time, then frequency, then channel
  const bins = scene.bins || scene.hop,
    low = atoms.frame.map((m) => m & 0xffff),
    high = atoms.frame.map((m) => m >>> 16);
  // times sort by halves, because those of a pursuit are many
  let index = sortBy(
    sortBy(sortBy(sortBy(plain, atoms.channel, 8), atoms.bin, bins), low, 65536),
    high,
    (scene.frames >>> 16) + 1,
  );
  if (name === 'frequency') index = sortBy(index, atoms.bin, bins);
  if (name === 'channel') index = sortBy(index, atoms.channel, 8);
  if (name === 'random') {
    const next = random(seed + 1);
    for (let i = index.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1)),
        kept = index[i];
      index[i] = index[j];
      index[j] = kept;
    }
  }
  return index;
}

/** Rank of every atom in a permutation, from its end where `reverse`. */
export function ranksOf(permutation, reverse) {
  const ranks = new Uint32Array(permutation.length),
    last = permutation.length - 1;
  for (let n = 0; n <= last; n++) ranks[permutation[n]] = reverse ? last - n : n;
  return ranks;
}

/** Numbers of atoms at which a curve is drawn: about `points` of them, from 1 to all, evenly spaced in their logarithm. */
export function stations(count, points = 120) {
  const out = [];
  for (let k = 0; k <= points; k++) {
    const n = Math.round(count ** (k / points));
    if (n !== out[out.length - 1]) out.push(n);
  }
  return count ? out : [];
}

/** Float64Array: energy of the first 0, 1, 2 … atoms of a permutation. */
export function cumulated(permutation, amplitude) {
  const sums = new Float64Array(permutation.length + 1);
  for (let n = 0; n < permutation.length; n++)
    sums[n + 1] = sums[n] + amplitude[permutation[n]] ** 2;
  return sums;
}

/**
 * What the first n atoms are worth, by Parseval (the transform is orthonormal): {n, energy: share, snr: dB}.
 *
 * sums   of `cumulated`; reverse: the first from its end
 * whole  energy of all coefficients, also of those that are no audible atoms
 */
export function worth(sums, n, reverse, whole) {
  const last = sums.length - 1,
    sum = reverse ? sums[last] - sums[last - n] : sums[n],
    total = Math.max(whole, 1e-30);
  return {
    n,
    energy: Math.min(1, sum / total),
    snr: 10 * Math.log10(total / Math.max(total - sum, total * 1e-10)),
  };
}

/** How many atoms a slider from 0 to 1000 means: evenly by number, or, for what is sorted by importance, by its logarithm. */
export function countAt(place, total, name) {
  if (place <= 0) return 0;
  if (place >= 1000) return total;
  return name === 'velocity'
    ? Math.round(total ** (place / 1000))
    : Math.round((total * place) / 1000);
}

/** How many atoms of the ordering by time have come when it has reached `seconds`: those until then, or, where `reverse`, those from then on. */
export function countUntil(permutation, frame, perFrame, seconds, reverse) {
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

/** Seconds that the ordering by time has reached with its first n atoms. */
export function timeUntil(permutation, frame, perFrame, n, reverse, duration) {
  if (n <= 0) return reverse ? duration : 0;
  return frame[permutation[reverse ? permutation.length - n : n - 1]] * perFrame;
}
