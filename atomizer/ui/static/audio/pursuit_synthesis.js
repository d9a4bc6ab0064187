// From matching-pursuit atoms to sound, in the browser.

import { windowLength } from '../plot/pursuit.js';
import { mixGain, nextTurn, sineWindow, Turn } from './synthesis.js';

/** Renders matching-pursuit atoms. It keeps the last sound, and only adds and subtracts changes. */
export class PursuitSynthesiser {
  /** @param {import('../types').Scene} scene
   * @param {import('../types').Atoms} atoms
   * @param {Float32Array} amplitude signed */
  constructor(scene, atoms, amplitude) {
    const length = Math.round(scene.duration * scene.rate);
    this.scene = scene;
    this.atoms = atoms;
    this.amplitude = amplitude;
    this.scales = /** @type {number[]} */ (scene.scales);
    this.windows = this.scales.map(sineWindow);
    this.request = 0;
    this.rendered = new Uint8Array(atoms.count);
    this.sums = Array.from({ length: Math.min(scene.channels, 2) }, () => new Float64Array(length));
  }

  /**
   * Render the atoms whose rank is below n: one Float32Array per channel, two at most.
   * Works in short turns so that the page stays responsive; null if a later call has replaced it.
   * @param {number} n
   * @param {ArrayLike<number>} ranks
   * @param {() => Promise<unknown>} [pause]
   */
  async renderFirst(n, ranks, pause = nextTurn) {
    const request = ++this.request;
    const { count } = this.atoms;
    const turn = new Turn(pause);
    const wanted = Uint8Array.from({ length: count }, (_, i) => (ranks[i] < n ? 1 : 0));
    const changed = wanted.reduce((sum, w, i) => sum + (w === this.rendered[i] ? 0 : 1), 0);
    if (wanted.reduce((sum, w) => sum + w, 0) < changed) {
      // fewer atoms to render than to change: start from silence
      this.rendered.fill(0);
      for (const sum of this.sums) sum.fill(0);
    }
    for (let i = 0; i < count; i++) {
      if (wanted[i] === this.rendered[i]) continue;
      this.addAtom(i, wanted[i] ? 1 : -1);
      this.rendered[i] = wanted[i];
      if (!turn.isOver) continue;
      await turn.next();
      if (request !== this.request) return null;
    }
    return this.sums.map((sum) => Float32Array.from(sum));
  }

  /** Add or subtract an atom: sqrt(2 / N) w[n] cos(pi / N (n + 1/2 + N / 2)(k + 1/2)), the cosine
   * by rotation.
   * @param {number} i
   * @param {1 | -1} sign */
  addAtom(i, sign) {
    const { scene, atoms, scales } = this;
    const length = windowLength(scene, atoms, i);
    const hop = length / 2;
    const window = this.windows[scales.indexOf(length)];
    const k = Math.floor(atoms.bin[i] / (scales[scales.length - 1] / length));
    const channel = atoms.channel[i];
    const gain = mixGain(channel, scene.channels) * sign * this.amplitude[i] * Math.sqrt(2 / hop);
    const out = this.sums[channel % this.sums.length];
    const start = atoms.frame[i] * scene.hop - hop;
    const step = (Math.PI / hop) * (k + 0.5);
    const turnRe = Math.cos(step);
    const turnIm = Math.sin(step);
    const from = Math.max(0, -start);
    const to = Math.min(length, out.length - start);
    let re = Math.cos(step * (from + 0.5 + hop / 2));
    let im = Math.sin(step * (from + 0.5 + hop / 2));
    for (let n = from; n < to; n++) {
      out[start + n] += gain * window[n] * re;
      const next = re * turnRe - im * turnIm;
      im = re * turnIm + im * turnRe;
      re = next;
    }
  }
}
