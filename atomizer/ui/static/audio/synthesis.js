// From MDCT atoms to sound, in the browser: the inverse of analysis/mdct.py. It makes the first n
// atoms of an ordering audible while the slider moves.

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Scene} Scene */

const TURN_MS = 12; // after which the page gets a turn

/** Let the page handle events. */
export const nextTurn = () => new Promise((resolve) => setTimeout(resolve));

/** A turn of work, after which the page handles events. */
export class Turn {
  /** @param {() => Promise<unknown>} pause */
  constructor(pause) {
    this.pause = pause;
    this.began = performance.now();
  }

  get isOver() {
    return performance.now() - this.began > TURN_MS;
  }

  async next() {
    await this.pause();
    this.began = performance.now();
  }
}

/** Gain of a channel: of more than two, all are mixed into two.
 * @param {number} channel
 * @param {number} channels */
export const mixGain = (channel, channels) =>
  channels > 2 ? 1 / Math.ceil((channels - (channel % 2)) / 2) : 1;

/** The orthonormal DCT-IV, in place: a complex FFT of half its size between two twiddles. */
export class DCT4 {
  /** @param {number} size a power of two */
  constructor(size) {
    const half = size / 2;
    this.size = size;
    this.half = half;
    this.re = new Float64Array(half);
    this.im = new Float64Array(half);
    this.cos = new Float64Array(half);
    this.sin = new Float64Array(half);
    this.turnCos = new Float64Array(half / 2);
    this.turnSin = new Float64Array(half / 2);
    this.swap = new Uint32Array(half);
    const bits = Math.log2(half);
    for (let n = 0; n < half; n++) {
      const angle = (-Math.PI * (n + 1 / 8)) / size;
      this.cos[n] = Math.cos(angle);
      this.sin[n] = Math.sin(angle);
      for (let b = 0; b < bits; b++) if (n & (1 << b)) this.swap[n] |= 1 << (bits - 1 - b);
    }
    for (let n = 0; n < half / 2; n++) {
      this.turnCos[n] = Math.cos((-2 * Math.PI * n) / half);
      this.turnSin[n] = Math.sin((-2 * Math.PI * n) / half);
    }
  }

  /** @param {Float64Array} x */
  run(x) {
    const { size, half, re, im, cos, sin, swap } = this;
    const scale = Math.sqrt(2 / size);
    for (let n = 0; n < half; n++) {
      const a = x[2 * n];
      const b = x[size - 1 - 2 * n];
      const to = swap[n];
      re[to] = a * cos[n] - b * sin[n];
      im[to] = a * sin[n] + b * cos[n];
    }
    this.fft();
    for (let k = 0; k < half; k++) {
      x[2 * k] = scale * (re[k] * cos[k] - im[k] * sin[k]);
      x[size - 1 - 2 * k] = -scale * (re[k] * sin[k] + im[k] * cos[k]);
    }
  }

  /** Radix 2, decimation in time; the input is in bit-reversed order. */
  fft() {
    const { half, re, im, turnCos, turnSin } = this;
    for (let width = 2; width <= half; width *= 2) {
      const step = half / width;
      const middle = width / 2;
      for (let start = 0; start < half; start += width) {
        for (let k = 0; k < middle; k++) {
          const a = start + k;
          const b = a + middle;
          const c = turnCos[k * step];
          const s = turnSin[k * step];
          const x = re[b] * c - im[b] * s;
          const y = re[b] * s + im[b] * c;
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  }
}

/** Sine window, the only one that the page uses.
 * @param {number} length */
export const sineWindow = (length) =>
  Float64Array.from({ length }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / length));

/** Renders MDCT atoms. */
export class Synthesiser {
  /** @param {Scene} scene
   * @param {Atoms} atoms
   * @param {Float32Array} amplitude signed */
  constructor(scene, atoms, amplitude) {
    this.scene = scene;
    this.atoms = atoms;
    this.amplitude = amplitude;
    this.dct = new DCT4(scene.hop);
    this.window = sineWindow(2 * scene.hop);
    this.request = 0;
    // index: atoms sorted by cell (channel and frame); those of a cell begin at starts[cell]
    const { frames, channels } = scene;
    const cell = (/** @type {number} */ i) => atoms.channel[i] * frames + atoms.frame[i];
    this.starts = new Uint32Array(channels * frames + 1);
    for (let i = 0; i < atoms.count; i++) this.starts[cell(i) + 1]++;
    for (let k = 1; k < this.starts.length; k++) this.starts[k] += this.starts[k - 1];
    const next = this.starts.slice();
    this.index = new Uint32Array(atoms.count);
    for (let i = 0; i < atoms.count; i++) this.index[next[cell(i)]++] = i;
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
    const { hop, frames, channels, duration, rate } = this.scene;
    const heard = Math.min(channels, 2);
    const out = Array.from({ length: heard }, () => new Float32Array((frames + 1) * hop));
    const spectrum = new Float64Array(hop);
    const turn = new Turn(pause);
    for (let c = 0; c < channels; c++) {
      for (let m = 0; m < frames; m++) {
        if (this.loadSpectrum(spectrum, c * frames + m, n, ranks))
          this.overlapAdd(out[c % heard], spectrum, m, mixGain(c, channels));
        if (!turn.isOver) continue;
        await turn.next();
        if (request !== this.request) return null;
      }
    }
    const length = Math.round(duration * rate);
    return out.map((samples) => samples.subarray(hop, hop + length));
  }

  /** Write the atoms of one cell into the spectrum; false if there are none.
   * @param {Float64Array} spectrum
   * @param {number} cell
   * @param {number} n
   * @param {ArrayLike<number>} ranks */
  loadSpectrum(spectrum, cell, n, ranks) {
    const { starts, index, amplitude, atoms } = this;
    let found = false;
    for (let k = starts[cell]; k < starts[cell + 1]; k++) {
      const i = index[k];
      if (ranks[i] >= n) continue;
      if (!found) {
        spectrum.fill(0);
        found = true;
      }
      spectrum[atoms.bin[i]] = amplitude[i];
    }
    return found;
  }

  /** Unfold a frame and add it: a = right, b = -right reversed, c = -left reversed, d = -left.
   * @param {Float32Array} samples
   * @param {Float64Array} spectrum
   * @param {number} frame
   * @param {number} gain */
  overlapAdd(samples, spectrum, frame, gain) {
    this.dct.run(spectrum);
    const { hop } = this.scene;
    const half = hop / 2;
    const at = frame * hop;
    const w = this.window;
    for (let n = 0; n < half; n++) {
      samples[at + n] += gain * w[n] * spectrum[half + n];
      samples[at + half + n] -= gain * w[half + n] * spectrum[hop - 1 - n];
      samples[at + hop + n] -= gain * w[hop + n] * spectrum[half - 1 - n];
      samples[at + hop + half + n] -= gain * w[hop + half + n] * spectrum[n];
    }
  }
}

/** The bytes of a WAV file of 32-bit floats, which a browser decodes and resamples.
 * @param {Float32Array[]} channels
 * @param {number} rate */
export function encodeWav(channels, rate) {
  const count = channels.length;
  const size = 4 * count * channels[0].length;
  const bytes = new DataView(new ArrayBuffer(44 + size));
  /** @type {[number, string][]} */
  const texts = [
    [0, 'RIFF'],
    [8, 'WAVEfmt '],
    [36, 'data'],
  ];
  for (const [at, text] of texts)
    for (let i = 0; i < text.length; i++) bytes.setUint8(at + i, text.charCodeAt(i));
  for (const [at, value] of [
    [4, 36 + size],
    [16, 16],
    [24, rate],
    [28, 4 * count * rate],
    [40, size],
  ])
    bytes.setUint32(at, value, true);
  for (const [at, value] of [
    [20, 3],
    [22, count],
    [32, 4 * count],
    [34, 32],
  ])
    bytes.setUint16(at, value, true);
  channels.forEach((samples, c) =>
    samples.forEach((v, i) => bytes.setFloat32(44 + 4 * (i * count + c), v, true)),
  );
  return bytes.buffer;
}
