// Peaks of the spectrum within a time span: where the nearest partial lies.

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Scene} Scene */
/** @typedef {import('../types').Range} Range */

const PROMINENCE = 4; // a peak has this power relative to the mean within 16 bins
const EDGE = 0.01; // share of a peak's power where it ends: 20 dB below
const NEIGHBOURS = 8; // bins on either side

/** Power per bin of the atoms within a time span.
 * @param {Atoms} atoms
 * @param {Float32Array} amplitude
 * @param {Scene} scene
 * @param {Range} seconds */
export function spectrumOf(atoms, amplitude, scene, [from, to]) {
  const power = new Float64Array(scene.hop);
  const perFrame = scene.hop / scene.rate;
  for (let i = 0; i < atoms.count; i++) {
    const t = atoms.frame[i] * perFrame;
    if (t >= from && t <= to) power[atoms.bin[i]] += amplitude[i] ** 2;
  }
  return power;
}

/** Bins [first, last] of the peak of a spectrum that is nearest, in octaves, to a frequency; null
 * for none.
 * @param {Float64Array} power per bin
 * @param {number} hertz
 * @param {number} perBin Hz
 * @returns {Range | null} */
export function nearestPeak(power, hertz, perBin) {
  let best = -1;
  let nearest = Infinity;
  for (let k = 1; k < power.length - 1; k++) {
    if (!(power[k] > power[k - 1] && power[k] >= power[k + 1])) continue;
    const around = power.subarray(Math.max(0, k - NEIGHBOURS), k + NEIGHBOURS + 1);
    const mean = around.reduce((sum, value) => sum + value, 0) / around.length;
    const distance = Math.abs(Math.log2(((k + 0.5) * perBin) / hertz));
    if (power[k] < PROMINENCE * mean || distance >= nearest) continue;
    [best, nearest] = [k, distance];
  }
  if (best < 0) return null;
  const least = power[best] * EDGE;
  let [low, high] = [best, best];
  while (low > 0 && power[low - 1] < power[low] && power[low - 1] > least) low--;
  while (high < power.length - 1 && power[high + 1] < power[high] && power[high + 1] > least)
    high++;
  return [low, high];
}
