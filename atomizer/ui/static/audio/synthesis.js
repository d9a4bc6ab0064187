// From atoms to sound, in the browser: the inverse MDCT of mdct.py, so that the first n atoms of an ordering are heard while one drags.

/** The orthonormal DCT-IV of size N, in place: one complex FFT of half its length between two twiddles. */
export class DCT4 {
  constructor(size) {
    const half = size / 2;
    Object.assign(this, {
      size,
      half,
      re: new Float64Array(half),
      im: new Float64Array(half),
      cos: new Float64Array(half),
      sin: new Float64Array(half),
      turnCos: new Float64Array(half / 2),
      turnSin: new Float64Array(half / 2),
      swap: new Uint32Array(half),
    });
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

  run(x) {
    const { size, half, re, im, cos, sin, swap } = this,
      scale = Math.sqrt(2 / size);
    for (let n = 0; n < half; n++) {
      const a = x[2 * n],
        b = x[size - 1 - 2 * n],
        to = swap[n];
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
      const step = half / width,
        middle = width / 2;
      for (let start = 0; start < half; start += width) {
        for (let k = 0; k < middle; k++) {
          const a = start + k,
            b = a + middle,
            c = turnCos[k * step],
            s = turnSin[k * step];
          const x = re[b] * c - im[b] * s,
            y = re[b] * s + im[b] * c;
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  }
}

/** Sine window of an MDCT frame, the only one that the page analyses with. */
const sineWindow = (hop) =>
  Float64Array.from({ length: 2 * hop }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / (2 * hop)));

export class Synthesiser {
  /** scene {hop, rate, frames, channels, duration}; atoms of it; their signed amplitudes */
  constructor(scene, atoms, amplitude) {
    Object.assign(this, {
      scene,
      atoms,
      amplitude,
      dct: new DCT4(scene.hop),
      window: sineWindow(scene.hop),
      job: 0,
    });
    // the atoms of every channel and frame lie together: indices from starts[c * frames + m] on
    const { frames, channels } = scene,
      starts = new Uint32Array(channels * frames + 1),
      place = (i) => atoms.channel[i] * frames + atoms.frame[i];
    for (let i = 0; i < atoms.count; i++) starts[place(i) + 1]++;
    for (let k = 1; k < starts.length; k++) starts[k] += starts[k - 1];
    const next = starts.slice(),
      index = new Uint32Array(atoms.count);
    for (let i = 0; i < atoms.count; i++) index[next[place(i)]++] = i;
    Object.assign(this, { starts, index });
  }

  /**
   * The sound of the atoms whose rank is below `n`: one Float32Array per channel (of more than two, all are mixed into two).
   * Works in short turns, so that the page stays awake; null where a later call has overtaken this one.
   */
  async first(n, ranks, pause = () => new Promise((done) => setTimeout(done))) {
    const job = ++this.job,
      { hop, frames, channels } = this.scene,
      heard = Math.min(channels, 2);
    const out = Array.from({ length: heard }, () => new Float32Array((frames + 1) * hop)),
      spectrum = new Float64Array(hop);
    let rested = performance.now();
    for (let c = 0; c < channels; c++) {
      const gain = channels > 2 ? 1 / Math.ceil((channels - (c % 2)) / 2) : 1;
      for (let m = 0; m < frames; m++) {
        if (this.collect(spectrum, c * frames + m, n, ranks))
          this.overlap(out[c % heard], spectrum, m, gain);
        if (performance.now() - rested > 12) {
          await pause();
          if (job !== this.job) return null;
          rested = performance.now();
        }
      }
    }
    const length = Math.round(this.scene.duration * this.scene.rate);
    return out.map((samples) => samples.subarray(hop, hop + length));
  }

  /** Put the atoms of one channel and frame into the spectrum; false where there are none. */
  collect(spectrum, place, n, ranks) {
    const { starts, index, amplitude, atoms } = this;
    let some = false;
    for (let k = starts[place]; k < starts[place + 1]; k++) {
      const i = index[k];
      if (ranks[i] >= n) continue;
      if (!some) {
        spectrum.fill(0);
        some = true;
      }
      spectrum[atoms.bin[i]] = amplitude[i];
    }
    return some;
  }

  /** Unfold a frame and add it where it overlaps its neighbours: a = right, b = -right', c = -left', d = -left. */
  overlap(samples, spectrum, frame, gain) {
    this.dct.run(spectrum);
    const { hop } = this.scene,
      half = hop / 2,
      at = frame * hop,
      w = this.window;
    for (let n = 0; n < half; n++) {
      samples[at + n] += gain * w[n] * spectrum[half + n];
      samples[at + half + n] -= gain * w[half + n] * spectrum[hop - 1 - n];
      samples[at + hop + n] -= gain * w[hop + n] * spectrum[half - 1 - n];
      samples[at + hop + half + n] -= gain * w[hop + half + n] * spectrum[n];
    }
  }
}

/** The bytes of a WAV file of 32-bit floats: a browser decodes, and resamples, it as it does any other sound. */
export function wavOf(channels, rate) {
  const count = channels.length,
    size = 4 * count * channels[0].length,
    bytes = new DataView(new ArrayBuffer(44 + size));
  const text = (at, word) => {
    for (let i = 0; i < word.length; i++) bytes.setUint8(at + i, word.charCodeAt(i));
  };
  for (const [at, word] of [
    [0, 'RIFF'],
    [8, 'WAVEfmt '],
    [36, 'data'],
  ])
    text(at, word);
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
