// A small scene and atoms on it, for the tests.

import { axesOf } from '../../atomizer/ui/static/plot/atoms.js';

export const scene = {
  rate: 8000,
  hop: 64,
  frames: 20,
  channels: 2,
  sound_rate: 8000,
  duration: (19 * 64) / 8000,
  floor_db: -80,
  loudest: 0.5,
  energy: 1,
  added: [],
};
export const axes = axesOf(scene);

/** The bytes of drawing.py for [[frame, bin, velocity, sign, channel, state], …]. */
export function packed(rows) {
  const n = rows.length,
    buffer = new ArrayBuffer(7 * n);
  const column = (Type, offset, value) => new Type(buffer, offset, n).set(rows.map(value));
  column(Uint16Array, 0, (r) => r[0]);
  column(Uint16Array, 2 * n, (r) => r[1]);
  column(Uint16Array, 4 * n, (r) => r[2]);
  column(Uint8Array, 6 * n, (r) => r[3] | (r[4] << 1) | (r[5] << 4));
  return buffer;
}

/** The cell of a row in the grid of a scene. */
export const cellOf = ([frame, bin, , , channel], { frames, hop }) =>
  (channel * frames + frame) * hop + bin;

/** The bytes of mapped atoms; rows as in `packed`. */
export function mapped(rows, shape) {
  const { channels, frames, hop } = shape;
  const sorted = [...rows].sort((a, b) => cellOf(a, shape) - cellOf(b, shape));
  const bits = (length, indices) => {
    const out = new Uint8Array(Math.ceil(length / 8));
    for (const i of indices) out[i >> 3] |= 1 << (i & 7);
    return out;
  };
  const positive = sorted.map((r, i) => (r[3] ? i : -1)).filter((i) => i >= 0);
  const parts = [
    new Uint8Array(Uint16Array.from(sorted, (r) => r[2]).buffer),
    bits(
      channels * frames * hop,
      sorted.map((r) => cellOf(r, shape)),
    ),
    bits(rows.length, positive),
  ];
  return Uint8Array.from(parts.flatMap((part) => [...part])).buffer;
}

/** A generator of random whole numbers below n, the same every time. */
export function dice(seed = 1) {
  let state = seed;
  return (n) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * n);
  };
}

/** Rows of atoms at different places, quiet ones first. */
export function someRows(count, states = () => 0) {
  const roll = dice(),
    seen = new Set(),
    rows = [];
  while (rows.length < count) {
    const row = [
        roll(scene.frames),
        roll(scene.hop),
        roll(65536),
        roll(2),
        roll(2),
        states(rows.length),
      ],
      key = row[0] + ',' + row[1] + ',' + row[4];
    if (!seen.has(key)) rows.push(row);
    seen.add(key);
  }
  return rows.sort((a, b) => a[2] - b[2]);
}

/** A sound as an AudioContext decodes it, of one sample. */
export const sound = (url) => ({
  url,
  numberOfChannels: 1,
  sampleRate: 10,
  length: 1,
  duration: 0.1,
  getChannelData: () => Float32Array.of(0.5),
});

/** Answers by URL that can be delayed: after `hold(url)`, `of(url)` waits for `release(url)`. */
export function answers(make) {
  const held = new Map();
  return {
    hold(url) {
      let release;
      const waiting = new Promise((done) => {
        release = done;
      });
      held.set(url, { waiting, release });
    },
    release(url) {
      held.get(url).release();
      held.delete(url);
    },
    async of(url) {
      if (held.has(url)) await held.get(url).waiting;
      return make(url);
    },
  };
}
