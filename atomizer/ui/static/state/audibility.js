// How far atoms are above their masking thresholds, as atoms/masking.py and atoms/audibility.py.

import { decibelsOf } from '../plot/atoms.js';

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Scene} Scene */

const BANDS = 22;
const MIN_BINS = 4;
const QUARTER_DB = (20 * Math.log10(2)) / 4; // unit of levels
const LOWEST = -1000;
const SHARE = 12 / 16; // of a masker's level
const FORWARD_DECAY_DB = 195; // per second
const LOWER_SLOPE = 25; // dB per Bark
const UPPER_SLOPE = 10;
const FULL_SCALE_SPL = 96; // dB
const FRAME = 1024; // samples of a level at least

/** First bin of every band, and the end.
 * @param {number} bins
 * @param {number} rate */
function bandEdges(bins, rate) {
  const top = 21.4 * Math.log10(0.00437 * (rate / 2) + 1);
  const edges = [0];
  for (let b = 1; b < BANDS; b++) {
    const hertz = (10 ** ((top * b) / BANDS / 21.4) - 1) / 0.00437;
    const wanted = Math.round(hertz / (rate / 2 / bins) / MIN_BINS) * MIN_BINS;
    const edge = Math.max(wanted, edges[edges.length - 1] + MIN_BINS);
    if (edge < bins) edges.push(edge);
  }
  return [...edges, bins];
}

/** Level in quiet of every band, and the units by which a masker decays to the next one, and back.
 * @param {number[]} edges
 * @param {number} bins
 * @param {number} rate */
function thresholdsOf(edges, bins, rate) {
  const centres = edges.slice(1).map((high, b) => ((edges[b] + high) / 2) * (rate / 2 / bins));
  const barks = centres.map((f) => 13 * Math.atan(0.76e-3 * f) + 3.5 * Math.atan((f / 7500) ** 2));
  const widths = barks.slice(1).map((bark, b) => bark - barks[b]);
  const quiet = centres.map((f) => {
    const k = f / 1000;
    const spl = 3.64 * k ** -0.8 - 6.5 * Math.exp(-0.6 * (k - 3.3) ** 2) + 1e-3 * k ** 4;
    const fullScale = 20 * Math.log10(Math.sqrt(bins / 2));
    return Math.round((Math.min(spl, FULL_SCALE_SPL) - FULL_SCALE_SPL + fullScale) / QUARTER_DB);
  });
  return {
    quiet,
    up: widths.map((width) => Math.round((UPPER_SLOPE * width) / QUARTER_DB)),
    down: widths.map((width) => Math.round((LOWER_SLOPE * width) / QUARTER_DB)),
  };
}

/** Levels in dB of all atoms above their masking thresholds, up to a constant.
 * @param {Atoms} atoms
 * @param {Scene} scene
 * @returns {Float32Array} */
export function audibilityOf(atoms, scene) {
  const bins = scene.bins || scene.hop;
  const edges = bandEdges(bins, scene.rate);
  const bands = edges.length - 1;
  const { quiet, up, down } = thresholdsOf(edges, bins, scene.rate);
  const bandOf = new Uint8Array(bins);
  for (let b = 0; b < bands; b++) bandOf.fill(b, edges[b], edges[b + 1]);
  const frames = Math.max(1, Math.floor(FRAME / scene.hop)); // of a level
  let first = Infinity;
  let last = 0;
  for (let i = 0; i < atoms.count; i++) {
    first = Math.min(first, atoms.frame[i]);
    last = Math.max(last, atoms.frame[i]);
  }
  const times = atoms.count ? Math.floor((last - first) / frames) + 1 : 0;
  const place = new Uint32Array(atoms.count);
  const level = new Float32Array(atoms.count);
  const mask = new Float64Array(8 * times * bands);
  for (let i = 0; i < atoms.count; i++) {
    const time = Math.floor((atoms.frame[i] - first) / frames);
    place[i] = (atoms.channel[i] * times + time) * bands + bandOf[atoms.bin[i]];
    level[i] = decibelsOf(atoms.velocity[i], scene) + 20 * Math.log10(scene.loudest || 1);
    mask[place[i]] += 10 ** (level[i] / 10);
  }
  for (let row = 0; row < mask.length; row += bands)
    for (let b = 0; b < bands; b++) {
      const power = mask[row + b] / ((edges[b + 1] - edges[b]) * frames);
      mask[row + b] = Math.max(LOWEST, Math.floor(2 * Math.log2(power) + 0.5));
    }
  const decay = Math.max(
    1,
    Math.round((FORWARD_DECAY_DB * scene.hop * frames) / scene.rate / QUARTER_DB),
  );
  for (let row = 0; row < mask.length; row += bands) {
    for (let b = 1; b < bands; b++)
      mask[row + b] = Math.max(mask[row + b], mask[row + b - 1] - up[b - 1]);
    for (let b = bands - 2; b >= 0; b--)
      mask[row + b] = Math.max(mask[row + b], mask[row + b + 1] - down[b]);
    if ((row / bands) % times)
      for (let b = 0; b < bands; b++)
        mask[row + b] = Math.max(mask[row + b], mask[row - bands + b] - decay);
  }
  for (let i = 0; i < atoms.count; i++)
    level[i] -= QUARTER_DB * SHARE * Math.max(mask[place[i]], quiet[place[i] % bands]);
  return level;
}
