// Matching-pursuit atoms as the picture holds them: of several scales, each with its own extent in time and frequency.
// A scene has them where it has scales; its `hop` is then the unit of time, and `bins` is the number of bins of the largest scale.

import { blank, HIDDEN } from './atoms.js';
import { regionsOf } from '../state/selection.js';

export const isPursuit = (scene) => !!(scene && scene.scales && scene.scales.length);

/** Atoms of the bytes that pursuit.py packed. */
export function unpackPursuit(buffer, count) {
  const flags = new Uint8Array(buffer, 8 * count, count),
    scale = new Uint8Array(buffer, 9 * count, count);
  const atoms = blank(
    count,
    new Uint32Array(buffer, 0, count),
    new Uint16Array(buffer, 4 * count, count),
    new Uint16Array(buffer, 6 * count, count),
  );
  for (let i = 0; i < count; i++) {
    atoms.sign[i] = flags[i] & 1;
    atoms.channel[i] = (flags[i] >> 1) & 7;
  }
  return Object.assign(atoms, { scale });
}

/** Where an atom lies: middle in seconds and Hz, the half of its window in seconds, and the sides of the tile that is its share of the plane. */
export function extentOf(scene, atoms, i) {
  const length = scene.scales[atoms.scale[i]],
    t = (atoms.frame[i] * scene.hop) / scene.rate,
    width = scene.rate / length;
  // a scale's own bin, of which the atom's is the one in the middle
  const ratio = scene.scales[scene.scales.length - 1] / length,
    f = (Math.floor(atoms.bin[i] / ratio) + 0.5) * width,
    side = length / 4 / scene.rate;
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

/** Splat atoms into pixels as `splat` of atoms.js does, every atom as its tile, loud ones last. */
export function splatPursuit(pixels, atoms, plane, table, scene) {
  const { width, ratio, lanes, unit } = plane,
    [t0, t1] = plane.t,
    [u0, u1] = plane.u,
    least = Math.ceil(1.5 * ratio);
  const { count, channel, kind, velocity } = atoms;
  for (let i = 0; i < count; i++) {
    if (kind[i] === HIDDEN) continue;
    const { from, to, low, high } = extentOf(scene, atoms, i);
    if (to < t0 || from > t1) continue;
    const lane = lanes.find((l) => l.channel === null || l.channel === channel[i]);
    if (!lane) continue;
    const [left, right] = pixelSpan(
      ((from - t0) / (t1 - t0)) * width,
      ((to - t0) / (t1 - t0)) * width,
      0,
      width,
      least,
    );
    const place = (f) => lane.top + ((u1 - unit(f)) / (u1 - u0)) * lane.height;
    const [top, bottom] = pixelSpan(
      place(high),
      place(Math.max(low, 0)),
      lane.top,
      lane.top + lane.height,
      least,
    );
    const colour = table[kind[i] * 256 + (velocity[i] >> 8)];
    for (let row = top; row < bottom; row++)
      pixels.fill(colour, row * width + left, row * width + right);
  }
}

/** First and one-past-last pixel of a span, at least `least` of them, within limits; an empty one where the span lies outside. */
function pixelSpan(a, b, from, to, least) {
  if (b < from || a > to) return [from, from];
  const low = Math.round(a),
    missing = Math.max(0, least - (Math.round(b) - low)),
    start = low - (missing >> 1);
  return [Math.max(from, start), Math.min(to, Math.max(Math.round(b), start + least))];
}

/** Index of the loudest drawn atom whose tile lies within `reach` CSS pixels of a pixel of the plane; -1 for none. */
export function nearestPursuit(atoms, plane, scene, x, y, reach = 4) {
  const lane = plane.lanes.find((l) => y >= l.top && y <= l.top + l.height);
  if (!lane) return -1;
  const [t0, t1] = plane.t,
    [u0, u1] = plane.u,
    far = reach * plane.ratio;
  const across = (t) => ((t - t0) / (t1 - t0)) * plane.width,
    along = (f) => lane.top + ((u1 - plane.unit(f)) / (u1 - u0)) * lane.height;
  for (let i = atoms.count - 1; i >= 0; i--) {
    // loud ones come last
    if (atoms.kind[i] === HIDDEN || (lane.channel !== null && lane.channel !== atoms.channel[i]))
      continue;
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

/** Which atoms the regions of a selection take, as Selection.of of selection.py: an atom is in a region where its middle is. */
export class Chosen {
  constructor(scene) {
    Object.assign(this, { scene, items: [] });
  }

  set(items) {
    this.items = items;
  }

  /** Mark the selected ones; `parts` is the bit set that Python made of the selected parts, or null. */
  mark(atoms, parts) {
    const regions = this.items
        .flatMap(regionsOf)
        .map((region) => ({ region, holds: testOf(region) })),
      { scene } = this;
    const perBin = scene.rate / 2 / scene.bins,
      nyquist = scene.sound_rate / 2;
    for (let i = 0; i < atoms.count; i++) {
      // the same arithmetic as ScaleSpace, so that both sides agree
      const t = atoms.frame[i] * (scene.hop / scene.rate),
        f = (atoms.bin[i] + 0.5) * perBin,
        reach = scene.scales[atoms.scale[i]] / 2 / scene.rate;
      let taken = 0;
      for (const { region, holds } of regions) {
        if (region.channels && !region.channels.includes(atoms.channel[i])) continue;
        if (!region.f && !region.points && f > nyquist) continue;
        if (holds(t, f, reach)) taken = region.op === 'subtract' ? 0 : 1;
      }
      atoms.selected[i] = taken | (parts ? (parts[i >> 3] >> (i & 7)) & 1 : 0);
    }
  }
}

/** Function (seconds, Hz, half a window) -> whether a region holds an atom. */
function testOf(region) {
  const limits = (span) => [
    span && span[0] != null ? span[0] : -Infinity,
    span && span[1] != null ? span[1] : Infinity,
  ];
  const octave = (f) => Math.log2(Math.max(f, 1e-3)),
    height = region.scale === 'log' ? octave : (f) => f;
  if (region.kind === 'rect') {
    const [t0, t1] = limits(region.t),
      [f0, f1] = limits(region.f);
    if (region.t && !region.f)
      return (t, f, reach) => t + reach - t0 > 1e-9 && t1 - (t - reach) > 1e-9;
    return (t, f) => t >= t0 && t <= t1 && f >= f0 && f <= f1;
  }
  const points = region.points.map(([t, f]) => [t, height(f)]);
  if (region.kind === 'lasso') {
    return (t, f) => {
      const y = height(f);
      let inside = false;
      points.forEach(([x0, y0], k) => {
        const [x1, y1] = points[(k + 1) % points.length];
        if (y0 > y !== y1 > y && ((x1 - x0) * (y - y0)) / (y1 - y0) + x0 > t) inside = !inside;
      });
      return inside;
    };
  }
  const [sx, sy] = region.size.map((s) => Math.max(s, 1e-9)),
    line = points.map(([x, y]) => [x / sx, y / sy]);
  return (t, f) => {
    const u = t / sx,
      v = height(f) / sy;
    return line.some(([ax, ay], k) => {
      const [bx, by] = line[Math.min(k + 1, line.length - 1)],
        dx = bx - ax,
        dy = by - ay;
      const along = Math.min(
        Math.max(((u - ax) * dx + (v - ay) * dy) / Math.max(dx * dx + dy * dy, 1e-12), 0),
        1,
      );
      return (u - ax - along * dx) ** 2 + (v - ay - along * dy) ** 2 <= 1;
    });
  };
}

/** The sound of some of the atoms. It keeps what it made last, and only adds and takes away what has changed. */
export class PursuitSynthesiser {
  /** scene and atoms of it; their signed amplitudes */
  constructor(scene, atoms, amplitude) {
    const heard = Math.min(scene.channels, 2),
      length = Math.round(scene.duration * scene.rate);
    Object.assign(this, {
      scene,
      atoms,
      amplitude,
      job: 0,
      heard: new Uint8Array(atoms.count),
      sums: Array.from({ length: heard }, () => new Float64Array(length)),
      windows: scene.scales.map(sineWindow),
    });
  }

  /**
   * The sound of the atoms whose rank is below `n`: one Float32Array per channel (of more than two, all are mixed into two).
   * Works in short turns, so that the page stays awake; null where a later call has overtaken this one.
   */
  async first(n, ranks, pause = () => new Promise((done) => setTimeout(done))) {
    const job = ++this.job,
      { count } = this.atoms;
    let rested = performance.now(),
      all = 0,
      changed = 0;
    for (let i = 0; i < count; i++) {
      const wanted = ranks[i] < n ? 1 : 0;
      all += wanted;
      changed += wanted !== this.heard[i];
    }
    if (all < changed) {
      // quicker from the beginning
      this.heard.fill(0);
      for (const sum of this.sums) sum.fill(0);
    }
    for (let i = 0; i < count; i++) {
      const wanted = ranks[i] < n ? 1 : 0;
      if (wanted === this.heard[i]) continue;
      this.add(i, wanted ? 1 : -1);
      this.heard[i] = wanted;
      if (performance.now() - rested > 12) {
        await pause();
        if (job !== this.job) return null;
        rested = performance.now();
      }
    }
    return this.sums.map((sum) => Float32Array.from(sum));
  }

  /** Add an atom, or take it away: sqrt(2 / N) w[n] cos(pi / N (n + 1/2 + N / 2)(k + 1/2)), the cosine by rotation. */
  add(i, sign) {
    const { scene, atoms } = this,
      { channels } = scene,
      length = scene.scales[atoms.scale[i]],
      hop = length / 2,
      window = this.windows[atoms.scale[i]];
    const ratio = scene.scales[scene.scales.length - 1] / length,
      k = Math.floor(atoms.bin[i] / ratio),
      c = atoms.channel[i];
    const gain =
      (channels > 2 ? 1 / Math.ceil((channels - (c % 2)) / 2) : 1) *
      sign *
      this.amplitude[i] *
      Math.sqrt(2 / hop);
    const out = this.sums[c % this.sums.length],
      start = atoms.frame[i] * scene.hop - hop,
      step = (Math.PI / hop) * (k + 0.5);
    const turnRe = Math.cos(step),
      turnIm = Math.sin(step),
      from = Math.max(0, -start),
      to = Math.min(length, out.length - start);
    let re = Math.cos(step * (from + 0.5 + hop / 2)),
      im = Math.sin(step * (from + 0.5 + hop / 2));
    for (let n = from; n < to; n++) {
      out[start + n] += gain * window[n] * re;
      const next = re * turnRe - im * turnIm;
      im = re * turnIm + im * turnRe;
      re = next;
    }
  }
}

/** Sine window of a scale, the only one that the page's pursuits have. */
const sineWindow = (length) =>
  Float64Array.from({ length }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / length));
