// The selection: a list of items, each a region {kind, op, t, f, points, size, channels, scale} or a part {part: "random:50"}.
// It means exactly what selection.py makes of it. An item may stand for several regions: {harmonics: 12} for a stroke's multiples.

import * as format from '../util/format.js';

const limits = (span) => [
  span && span[0] != null ? span[0] : -Infinity,
  span && span[1] != null ? span[1] : Infinity,
];
const octave = (f) => Math.log2(Math.max(f, 1e-3));

export const EVERYTHING = { kind: 'rect', op: 'add', everything: true };

/** The regions that an item stands for, as Region of selection.py takes them. */
export function regionsOf(item) {
  if (item.part) return [];
  const { everything, harmonics, ...region } = item;
  if (!harmonics) return [region];
  return Array.from({ length: harmonics }, (_, k) => ({
    ...region,
    points: region.points.map(([t, f]) => [t, f * (k + 1)]),
  }));
}

/** How many multiples of a stroke lie below `top` Hz, at most `most`. */
export const harmonicsBelow = (points, top, most) =>
  Math.max(1, Math.min(most, Math.floor(top / Math.max(...points.map((p) => p[1]), 1))));

/** What Python is told: regions and parts as Selection.from_dict takes them, and a key that names them. */
export function forPython(items) {
  const regions = items.flatMap(regionsOf),
    specs = items.filter((item) => item.part).map((item) => item.part);
  return { regions, specs, key: JSON.stringify([regions, specs]) };
}

/** Items of what Python, or a file, says. */
export const fromPython = (regions, specs) => [
  ...regions.map((region) =>
    isEverything(region) ? EVERYTHING : { kind: region.kind, op: 'add', ...region },
  ),
  ...specs.map((part) => ({ part })),
];

const isEverything = (region) =>
  region.kind === 'rect' && !region.t && !region.f && !region.channels;

/** The cells of a scene's grid that the regions of a selection take: Uint8Array, channel by channel, frame by frame. */
export class Cells {
  constructor(scene, axes) {
    Object.assign(this, { scene, axes });
    this.taken = new Uint8Array(scene.channels * scene.frames * scene.hop);
  }

  /** Index of an atom's cell. */
  at(channel, frame, bin) {
    return (channel * this.scene.frames + frame) * this.scene.hop + bin;
  }

  set(items) {
    this.taken.fill(0);
    for (const item of items) for (const region of regionsOf(item)) this.take(region);
  }

  take(region) {
    const value = region.op === 'subtract' ? 0 : 1,
      channels = region.channels || Array.from({ length: this.scene.channels }, (_, c) => c);
    const row = (frame, from, to) => {
      for (const c of channels)
        if (c < this.scene.channels)
          this.taken.fill(value, this.at(c, frame, from), this.at(c, frame, to));
    };
    const cell = (frame, bin) => {
      for (const c of channels)
        if (c < this.scene.channels) this.taken[this.at(c, frame, bin)] = value;
    };
    if (region.kind === 'rect') this.rect(region, row);
    else if (region.kind === 'lasso') this.lasso(region, cell);
    else this.brush(region, cell);
  }

  rect(region, row) {
    const { seconds, hertz, perFrame } = this.axes,
      [t0, t1] = limits(region.t),
      [f0, f1] = limits(region.f);
    // what names no frequency ends at the recording's Nyquist
    const [low, high] = region.f ? [f0, f1] : [-Infinity, this.scene.sound_rate / 2];
    const from = first(hertz, (f) => f >= low),
      to = first(hertz, (f) => f > high);
    for (let m = 0; m < seconds.length; m++) {
      const t = seconds[m];
      // a span of time takes every atom whose window overlaps it
      const inside =
        region.t && !region.f
          ? t + perFrame - t0 > 1e-9 && t1 - (t - perFrame) > 1e-9
          : t >= t0 && t <= t1;
      if (inside) row(m, from, to);
    }
  }

  heights(region) {
    return region.scale === 'log' ? Float64Array.from(this.axes.hertz, octave) : this.axes.hertz;
  }

  points(region) {
    return region.scale === 'log' ? region.points.map(([t, f]) => [t, octave(f)]) : region.points;
  }

  /** Even-odd test, bin by bin; the order of the operations is that of selection.in_polygon, so that rounding agrees too. */
  lasso(region, cell) {
    const { seconds } = this.axes,
      heights = this.heights(region),
      p = this.points(region);
    for (let k = 0; k < heights.length; k++) {
      const level = heights[k],
        crossings = [];
      for (let j = 0; j < p.length; j++) {
        const [x0, y0] = p[j],
          [x1, y1] = p[(j + 1) % p.length];
        if (y0 > level !== y1 > level) crossings.push(((x1 - x0) * (level - y0)) / (y1 - y0) + x0);
      }
      if (!crossings.length) continue;
      for (let m = 0; m < seconds.length; m++) {
        let right = 0;
        for (const x of crossings) if (x > seconds[m]) right++;
        if (right % 2) cell(m, k);
      }
    }
  }

  /** An ellipse moved along the line, as selection.near_line. */
  brush(region, cell) {
    const { seconds } = this.axes,
      [sx, sy] = region.size.map((s) => Math.max(s, 1e-9)),
      heights = this.heights(region);
    const p = this.points(region).map(([x, y]) => [x / sx, y / sy]);
    for (let j = 0; j < p.length; j++) {
      const [ax, ay] = p[j],
        [bx, by] = p[Math.min(j + 1, p.length - 1)],
        dx = bx - ax,
        dy = by - ay,
        length = Math.max(dx * dx + dy * dy, 1e-12);
      const m0 = first(seconds, (t) => t / sx >= Math.min(ax, bx) - 1),
        m1 = first(seconds, (t) => t / sx >= Math.max(ax, bx) + 1);
      const k0 = first(heights, (y) => y / sy >= Math.min(ay, by) - 1),
        k1 = first(heights, (y) => y / sy >= Math.max(ay, by) + 1);
      for (let m = m0; m < m1; m++) {
        const u = seconds[m] / sx - ax;
        for (let k = k0; k < k1; k++) {
          const v = heights[k] / sy - ay,
            along = Math.min(Math.max((u * dx + v * dy) / length, 0), 1);
          const ex = u - along * dx,
            ey = v - along * dy;
          if (ex * ex + ey * ey <= 1) cell(m, k);
        }
      }
    }
  }

  /** Mark the selected ones of a scene's atoms; `parts` is the bit set that Python made of the selected parts, or null. */
  mark(atoms, parts) {
    const { frames, hop } = this.scene;
    for (let i = 0; i < atoms.count; i++) {
      atoms.selected[i] =
        this.taken[(atoms.channel[i] * frames + atoms.frame[i]) * hop + atoms.bin[i]] |
        (parts ? (parts[i >> 3] >> (i & 7)) & 1 : 0);
    }
  }
}

/** Index of the first of ascending values that passes a test that holds from some place on. */
function first(values, passes) {
  let low = 0,
    high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(values[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What is selected of marked atoms: {count, energy: share of the whole, t: [from, to], f: [from, to]}, or null for nothing. */
export function readout(atoms, amplitude, axes, whole) {
  let count = 0,
    energy = 0,
    m0 = Infinity,
    m1 = -1,
    k0 = Infinity,
    k1 = -1;
  for (let i = 0; i < atoms.count; i++) {
    if (!atoms.selected[i]) continue;
    count++;
    energy += amplitude[i] * amplitude[i];
    if (atoms.frame[i] < m0) m0 = atoms.frame[i];
    if (atoms.frame[i] > m1) m1 = atoms.frame[i];
    if (atoms.bin[i] < k0) k0 = atoms.bin[i];
    if (atoms.bin[i] > k1) k1 = atoms.bin[i];
  }
  if (!count) return null;
  return {
    count,
    energy: energy / Math.max(whole, 1e-30),
    t: [m0 * axes.perFrame, m1 * axes.perFrame],
    f: [axes.hertz[k0], axes.hertz[k1]],
  };
}

/** Everything but the selection: the whole plane, less what was added and with what was taken away. Null where parts forbid it. */
export function inverted(items) {
  if (items.some((item) => item.part)) return null;
  const flipped = (list) =>
    list.map((item) => ({ ...item, op: item.op === 'subtract' ? 'add' : 'subtract' }));
  return items.length && items[0].everything
    ? flipped(items.slice(1))
    : [EVERYTHING, ...flipped(items)];
}

/**
 * What a region that is taken away does not reach: "all" of what is selected, "some" of it, or "nothing". Parts are ranks among all atoms and are added
 * after every region (selection.py), so that nothing is taken away from them.
 */
export function outOfReach(items, item) {
  if (item.op !== 'subtract' || !items.some(({ part }) => part)) return 'nothing';
  return items.some(({ part, op }) => !part && op !== 'subtract') ? 'some' : 'all';
}

/** [from, to] in seconds that the selection spans within a sound, or null. */
export function spanOf(items, duration) {
  let from = Infinity,
    to = -Infinity;
  for (const item of items) {
    if (item.part || item.op === 'subtract') continue;
    const [t0, t1] = boundsOf(item).t || [0, duration];
    from = Math.min(from, t0 ?? 0);
    to = Math.max(to, t1 ?? duration);
  }
  return to > from ? [Math.max(0, from), Math.min(duration, to)] : null;
}

/** {t, f} that a region spans; null for no limit. */
export function boundsOf(item) {
  if (!item.points) return { t: item.t || null, f: item.f || null };
  const ts = item.points.map((p) => p[0]),
    fs = item.points.map((p) => p[1]),
    [dt, df] = item.size || [0, 0],
    log = item.scale === 'log';
  const low = Math.min(...fs),
    high = Math.max(...fs);
  return {
    t: [Math.min(...ts) - dt, Math.max(...ts) + dt],
    f: log ? [low / 2 ** df, high * 2 ** df] : [Math.max(low - df, 1), high + df],
  };
}

/** A region with its times and frequencies sent through two functions: moved, or resized. */
export function transformed(item, time, frequency) {
  if (item.points) return { ...item, points: item.points.map(([t, f]) => [time(t), frequency(f)]) };
  const sorted = (pair) =>
      pair[0] != null && pair[1] != null && pair[0] > pair[1] ? [pair[1], pair[0]] : pair,
    out = { ...item };
  if (item.t) out.t = sorted(item.t.map((t) => (t == null ? null : Math.max(0, time(t)))));
  if (item.f) out.f = sorted(item.f.map((f) => (f == null ? null : Math.max(0, frequency(f)))));
  return out;
}

/** A few words for the list of what is selected. */
export function nameOf(item, channels = 1) {
  if (item.part) {
    const [kind, amount] = item.part.split(':');
    return kind === 'keep' ? 'all but ' + amount + ' per s' : kind + ' ' + amount + ' %';
  }
  if (item.everything) return 'everything';
  const words = [];
  if (item.kind !== 'rect') words.push(item.harmonics ? item.harmonics + ' partials' : item.kind);
  const { t, f } = boundsOf(item.harmonics ? { ...item, size: [item.size[0], 0] } : item);
  if (t)
    words.push(
      t[1] == null
        ? 'after ' + format.seconds(t[0])
        : t[0] == null
          ? 'before ' + format.seconds(t[1])
          : format.span(t, format.seconds),
    );
  if (f)
    words.push(
      f[1] == null
        ? 'above ' + format.hertz(f[0])
        : f[0] == null
          ? 'below ' + format.hertz(f[1])
          : format.span(f, format.hertz),
    );
  if (item.channels) words.push(item.channels.map((c) => format.channel(c, channels)).join(', '));
  return words.join(', ');
}

/** The selection as the text of a file, with the features that are unknown. */
export const toFile = (items, features) => {
  const { regions, specs } = forPython(items);
  return JSON.stringify({ regions, ...(specs.length ? { parts: specs } : {}), features }, null, 1);
};

/** Items of such a file; throws a sentence where it is none. Python checks the regions themselves. */
export function fromFile(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error('This file is no JSON: a selection that was saved here is accepted.');
  }
  const { regions = [], parts = [] } = data && typeof data === 'object' ? data : {};
  const fine = (r) =>
    r &&
    ['rect', 'lasso', 'brush'].includes(r.kind) &&
    (r.kind === 'rect' || (Array.isArray(r.points) && r.points.length));
  if (
    !Array.isArray(regions) ||
    !Array.isArray(parts) ||
    !regions.every(fine) ||
    !parts.every((p) => typeof p === 'string') ||
    !(regions.length + parts.length)
  ) {
    throw new Error('This file holds no selection: one that was saved here is accepted.');
  }
  return fromPython(regions, parts);
}
