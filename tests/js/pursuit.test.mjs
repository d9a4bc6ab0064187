import assert from 'node:assert/strict';
import { test } from 'node:test';

import { amplitudesOf, HIDDEN } from '../../atomizer/ui/static/plot/atoms.js';
import { legendEntries, colourAtoms } from '../../atomizer/ui/static/plot/colouring.js';
import { orderAtoms } from '../../atomizer/ui/static/state/orderings.js';
import {
  drawPursuit,
  extentOf,
  isPursuit,
  nearestPursuit,
  unpackPursuit,
} from '../../atomizer/ui/static/plot/pursuit.js';
import { PursuitSelection } from '../../atomizer/ui/static/state/pursuit_selection.js';
import { PursuitSynthesiser } from '../../atomizer/ui/static/audio/pursuit_synthesis.js';

const scene = {
  rate: 8000,
  hop: 8,
  frames: 401,
  bins: 128,
  scales: [16, 64, 256],
  channels: 2,
  sound_rate: 8000,
  duration: 0.4,
  floor_db: -80,
  loudest: 0.5,
  energy: 1,
  added: [],
};

/** The bytes of pursuit.py for [[time, frequency, velocity, sign, channel, scale], …]. */
function packed(rows) {
  const n = rows.length,
    buffer = new ArrayBuffer(10 * n),
    column = (Type, offset, value) => new Type(buffer, offset, n).set(rows.map(value));
  column(Uint32Array, 0, (r) => r[0]);
  column(Uint16Array, 4 * n, (r) => r[1]);
  column(Uint16Array, 6 * n, (r) => r[2]);
  column(Uint8Array, 8 * n, (r) => r[3] | (r[4] << 1));
  column(Uint8Array, 9 * n, (r) => r[5]);
  return buffer;
}

// of each scale one: bins 3, 10 and 50 of their own
const rows = [
  [100, 3 * 16 + 8, 30000, 0, 1, 0],
  [200, 10 * 4 + 2, 40000, 1, 0, 1],
  [160, 50, 65535, 1, 0, 2],
];
const atoms = () => unpackPursuit(packed(rows), 3);
const wave = (scale, k) => {
  const N = scene.scales[scale] / 2;
  return Array.from(
    { length: 2 * N },
    (_, n) =>
      Math.sqrt(2 / N) *
      Math.sin((Math.PI * (n + 0.5)) / (2 * N)) *
      Math.cos((Math.PI / N) * (n + 0.5 + N / 2) * (k + 0.5)),
  );
};

test('scenes with scales are matching-pursuit scenes', () => {
  assert.ok(isPursuit(scene));
  assert.ok(!isPursuit({ ...scene, scales: [] }) && !isPursuit(null));
});

test('atoms are unpacked with their scale and extent', () => {
  const a = atoms();
  assert.deepEqual(
    [[...a.frame], [...a.scale], [...a.sign], [...a.channel]],
    [
      [100, 200, 160],
      [0, 1, 2],
      [0, 1, 1],
      [1, 0, 0],
    ],
  );
  assert.deepEqual(extentOf(scene, a, 0), {
    t: 0.1,
    f: 1750,
    reach: 0.001,
    from: 0.0995,
    to: 0.1005,
    low: 1500,
    high: 2000,
  });
  const { t, f, low, high, from, to } = extentOf(scene, a, 2);
  assert.deepEqual([t, f, high - low], [0.16, 50.5 * 31.25, 31.25]);
  assert.ok(Math.abs(to - from - 128 / 8000) < 1e-12);
});

test('the sound is the sum of windowed cosines', async () => {
  const a = atoms(),
    amplitude = amplitudesOf(a, scene),
    made = new PursuitSynthesiser(scene, a, amplitude),
    ranks = Uint32Array.of(2, 1, 0);
  const all = await made.renderFirst(3, ranks),
    expected = [new Float64Array(3200), new Float64Array(3200)];
  [
    [0, 3],
    [1, 10],
    [2, 50],
  ].forEach(([scale, k], i) =>
    wave(scale, k).forEach((value, n) => {
      expected[a.channel[i]][a.frame[i] * 8 - scene.scales[scale] / 2 + n] += amplitude[i] * value;
    }),
  );
  for (const c of [0, 1])
    for (let n = 0; n < 3200; n++) assert.ok(Math.abs(all[c][n] - expected[c][n]) < 1e-6);
  // forward and back: only the changed part is rendered, and nothing remains
  const one = await made.renderFirst(1, ranks),
    fresh = await new PursuitSynthesiser(scene, atoms(), amplitude).renderFirst(1, ranks);
  for (const c of [0, 1])
    for (let n = 0; n < 3200; n++) assert.ok(Math.abs(one[c][n] - fresh[c][n]) < 1e-9);
  assert.ok(
    (await made.renderFirst(0, ranks)).every((channel) => channel.every((v) => Math.abs(v) < 1e-9)),
  );
});

test('atoms at both ends of a sound are truncated', async () => {
  const a = unpackPursuit(
    packed([
      [0, 50, 65535, 1, 0, 2],
      [400, 50, 65535, 1, 0, 2],
    ]),
    2,
  );
  const [sound] = await new PursuitSynthesiser(
      { ...scene, channels: 1 },
      a,
      Float32Array.of(1, 1),
    ).renderFirst(2, Uint32Array.of(0, 1)),
    w = wave(2, 50);
  for (let n = 0; n < 128; n++) {
    assert.ok(Math.abs(sound[n] - w[128 + n]) < 1e-6);
    assert.ok(Math.abs(sound[3200 - 128 + n] - w[n]) < 1e-6);
  }
});

test('a later request replaces an earlier one', async () => {
  const a = atoms(),
    ranks = Uint32Array.of(0, 1, 2),
    made = new PursuitSynthesiser(scene, a, amplitudesOf(a, scene)),
    { now } = performance;
  let clock = 0,
    later;
  performance.now = () => (clock += 20); // every atom takes long
  try {
    const first = made.renderFirst(3, ranks, async () => {
      later = later || made.renderFirst(1, ranks);
    });
    assert.equal(await first, null);
    const fresh = await new PursuitSynthesiser(scene, a, amplitudesOf(a, scene)).renderFirst(
        1,
        ranks,
      ),
      sound = await later;
    for (const c of [0, 1])
      for (let n = 0; n < 3200; n++) assert.ok(Math.abs(sound[c][n] - fresh[c][n]) < 1e-9);
  } finally {
    performance.now = now;
  }
});

test('regions select by centres, spans of time by overlap', () => {
  const marked = (...items) => {
    const a = atoms(),
      chosen = new PursuitSelection(scene);
    chosen.set(items);
    chosen.markAtoms(a, null);
    return [...a.selected];
  };
  const box = { kind: 'rect', op: 'add', t: [0.15, 0.25], f: [1000, 1600] };
  assert.deepEqual(marked(box), [0, 1, 1]);
  assert.deepEqual(marked(box, { ...box, op: 'subtract', f: [1500, 1600] }), [0, 1, 0]);
  assert.deepEqual(
    marked({ kind: 'rect', op: 'add', t: [0.172, 0.19] }),
    [0, 0, 1],
    'a window of 256 samples ends at 0.176 s',
  );
  assert.deepEqual(marked({ kind: 'rect', op: 'add', channels: [1] }), [1, 0, 0]);
  assert.deepEqual(
    marked({
      kind: 'lasso',
      op: 'add',
      points: [
        [0.09, 1000],
        [0.11, 1000],
        [0.1, 4000],
      ],
      scale: 'linear',
    }),
    [1, 0, 0],
  );
  assert.deepEqual(
    marked({
      kind: 'brush',
      op: 'add',
      points: [
        [0.15, 1560],
        [0.17, 1600],
      ],
      size: [0.005, 60],
      scale: 'linear',
    }),
    [0, 0, 1],
  );
  assert.deepEqual(
    marked({ kind: 'brush', op: 'add', points: [[0.2, 1300]], size: [0.005, 0.3], scale: 'log' }),
    [0, 1, 0],
  );
  const a = atoms();
  new PursuitSelection(scene).markAtoms(a, Uint8Array.of(0b101));
  assert.deepEqual([...a.selected], [1, 0, 1]);
});

test('a region without frequencies ends at the Nyquist frequency', () => {
  const a = atoms(),
    chosen = new PursuitSelection({ ...scene, sound_rate: 3300 });
  chosen.set([{ kind: 'rect', op: 'add', t: [0, 1] }]);
  chosen.markAtoms(a, null);
  assert.deepEqual([...a.selected], [0, 1, 1]);
});

const plane = {
  width: 400,
  height: 400,
  ratio: 1,
  t: [0, 0.4],
  u: [0, 4000],
  unit: (f) => f,
  lanes: [{ channel: null, top: 0, height: 400 }],
};

test('atoms are drawn as tiles, loud ones on top', () => {
  const a = atoms(),
    pixels = new Uint32Array(400 * 400),
    table = Uint32Array.from({ length: 256 }, (_, k) => k + 1);
  drawPursuit(pixels, a, plane, [table], scene);
  const size = (i) => {
    const of = pixels.filter((p) => p === (a.velocity[i] >> 8) + 1).length;
    return of;
  };
  assert.equal(size(0), 50 * 2, '1 pixel of time at least drawn as 2, 500 Hz');
  assert.equal(size(2), 16 * 3, '16 ms, 31 Hz');
  assert.equal(pixels[(400 - 157) * 400 + 160], 256);
  a.colourRow.fill(HIDDEN);
  drawPursuit(pixels.fill(0), a, plane, [table], scene);
  assert.ok(pixels.every((p) => p === 0));
});

test('the pointer finds the loudest atom by its tile', () => {
  const a = atoms(),
    at = (t, f) => nearestPursuit(a, plane, scene, t * 1000, 400 - f / 10, 1);
  assert.deepEqual([at(0.16, 1578), at(0.166, 1578), at(0.1, 1900), at(0.3, 3000)], [2, 2, 0, -1]);
  a.colourRow[2] = HIDDEN;
  assert.equal(at(0.16, 1578), -1);
});

test('orderings sort the fine times and frequencies of a pursuit', () => {
  assert.deepEqual([...orderAtoms(atoms(), 'time', scene)], [0, 2, 1]);
  assert.deepEqual([...orderAtoms(atoms(), 'frequency', scene)], [1, 2, 0]);
  assert.deepEqual([...orderAtoms(atoms(), 'velocity', scene)], [2, 1, 0]);
  const late = unpackPursuit(
    packed([
      [70000, 1, 1, 1, 0, 0],
      [5, 1, 2, 1, 0, 0],
      [66000, 1, 3, 1, 0, 0],
    ]),
    3,
  );
  assert.deepEqual([...orderAtoms(late, 'time', { ...scene, frames: 70001 })], [1, 2, 0]);
});

test('colours by scale', () => {
  const names = [
      'negative',
      'positive',
      'unknown',
      'kept',
      'filled',
      'channel 0',
      'channel 1',
      'channel 2',
      'rank 0',
    ],
    a = atoms();
  colourAtoms(
    a,
    {
      colour: 'scale',
      version: 'original',
      channel: null,
      pending: false,
      ranks: null,
      first: null,
    },
    new Map(names.map((name, k) => [name, k])),
    1,
  );
  assert.deepEqual(
    [...a.colourRow].map((k) => names[k]),
    ['channel 0', 'channel 1', 'channel 2'],
  );
  assert.deepEqual(
    legendEntries('scale', ['left', 'right'], 4, [128, 8192]).map(([, text]) => text),
    ['128 samples', '8,192 samples', 'unknown'],
  );
});
