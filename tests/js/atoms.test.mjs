import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  amplitudesOf,
  decibelsOf,
  FILLED,
  HIDDEN,
  KEPT,
  mergeFill,
  nearestAtom,
  pixelSpans,
  drawAtoms,
  unpackAtoms,
  unpackScene,
} from '../../atomizer/ui/static/plot/atoms.js';
import { SCALES } from '../../atomizer/ui/static/plot/scales.js';
import { axes, cellOf, mapped, packed, scene, someRows } from './help.mjs';

const plane = (more = {}) => ({
  width: 40,
  height: 32,
  ratio: 1,
  t: [0, scene.duration],
  u: [0, scene.rate / 2],
  unit: SCALES.linear.unit,
  lanes: [{ channel: null, top: 0, height: 32 }],
  ...more,
});
const table = Uint32Array.from({ length: 512 }, (_, k) => k + 1);

test('atoms are unpacked as drawing.py packs them', () => {
  const atoms = unpackAtoms(
    packed([
      [3, 5, 100, 0, 1, 2],
      [4, 6, 65535, 1, 0, 0],
    ]),
    2,
  );
  assert.deepEqual([...atoms.frame, ...atoms.bin, ...atoms.velocity], [3, 4, 5, 6, 100, 65535]);
  assert.deepEqual([...atoms.sign, ...atoms.channel, ...atoms.state], [0, 1, 1, 0, 2, 0]);
  assert.equal(decibelsOf(65535, scene), -0);
  assert.equal(decibelsOf(0, scene), -80);
  const amplitude = amplitudesOf(atoms, scene);
  assert.ok(amplitude[0] < 0 && Math.abs(amplitude[1] - 0.5) < 1e-6);
});

test('mapped atoms are the listed ones, by velocity and then by cell', () => {
  const rows = someRows(60).map((r, i) => (i % 9 ? r : [...r.slice(0, 2), 500, ...r.slice(3)])),
    inOrder = [...rows].sort((a, b) => a[2] - b[2] || cellOf(a, scene) - cellOf(b, scene)),
    shape = { ...scene, channels: 2, count: 60 };
  const found = unpackScene(mapped(rows, shape), { ...shape, is_mapped: true });
  assert.deepEqual(found, unpackAtoms(packed(inOrder), 60));
  assert.deepEqual(unpackScene(packed(inOrder), shape), found);
});

test('merging a fill drops hidden atoms and keeps the order', () => {
  const rows = someRows(50),
    all = unpackAtoms(packed(rows), 50),
    hidden = new Uint8Array(7);
  for (let i = 0; i < 50; i += 3) hidden[i >> 3] |= 1 << (i & 7);
  const fresh = unpackAtoms(packed(someRows(9, () => FILLED)), 9),
    merged = mergeFill(all, hidden, fresh);
  assert.equal(merged.count, 50 - 17 + 9);
  for (let i = 1; i < merged.count; i++) assert.ok(merged.velocity[i - 1] <= merged.velocity[i]);
  assert.equal([...merged.state].filter((s) => s === FILLED).length, 9);
  merged.source.forEach((from, i) => {
    if (from < 0) return assert.equal(merged.state[i], FILLED);
    assert.ok(from % 3 && merged.state[i] === KEPT);
    return assert.deepEqual(
      [merged.frame[i], merged.bin[i], merged.channel[i]],
      [all.frame[from], all.bin[from], all.channel[from]],
    );
  });
  assert.equal(mergeFill(all, new Uint8Array(7), unpackAtoms(packed([]), 0)).count, 50);
});

test('neighbouring cells touch and have a minimum width', () => {
  const [first, last] = pixelSpans(10, 0, 100, 1, (k) => k * 7.3);
  for (let k = 1; k < 10; k++) assert.equal(first[k], last[k - 1]);
  const [a, b] = pixelSpans(100, 0, 50, 2, (k) => k * 0.5);
  for (let k = 0; k < 99; k++) assert.ok(b[k] - a[k] >= 2 || b[k] === 50 || a[k] === 0);
});

test('loud atoms are drawn on top, each in the lane of its channel', () => {
  const atoms = unpackAtoms(
      packed([
        [5, 10, 1000, 1, 0, 0],
        [5, 10, 60000, 1, 1, 0],
      ]),
      2,
    ),
    pixels = new Uint32Array(40 * 32);
  atoms.colourRow.fill(1);
  drawAtoms(pixels, atoms, plane(), [table], scene);
  const drawn = new Set([...pixels].filter(Boolean));
  assert.deepEqual([...drawn], [table[256 + (60000 >> 8)]]);
  atoms.colourRow[1] = HIDDEN;
  pixels.fill(0);
  drawAtoms(pixels, atoms, plane(), [table], scene);
  assert.deepEqual([...new Set([...pixels].filter(Boolean))], [table[256 + (1000 >> 8)]]);
  atoms.colourRow[1] = 1;
  pixels.fill(0);
  drawAtoms(
    pixels,
    atoms,
    plane({
      lanes: [
        { channel: 0, top: 0, height: 16 },
        { channel: 1, top: 16, height: 16 },
      ],
    }),
    [table],
    scene,
  );
  const rows = (colour) =>
    [...pixels.keys()].filter((k) => pixels[k] === colour).map((k) => Math.floor(k / 40));
  assert.ok(
    rows(table[256 + (1000 >> 8)]).every((row) => row < 16) &&
      rows(table[256 + (60000 >> 8)]).every((row) => row >= 16),
  );
});

test('the sign is a faint tint of small atoms, and full of large ones', () => {
  const atoms = unpackAtoms(packed([[5, 10, 1000, 1, 0, 0]]), 1);
  atoms.colourRow.fill(1);
  const faint = table.map((colour) => colour + 1000);
  const drawn = (width) => {
    const pixels = new Uint32Array(width * 640);
    const lanes = [{ channel: null, top: 0, height: 640 }];
    const zoomed = plane({ width, height: 640, lanes, tintPixels: [3, 9] });
    drawAtoms(pixels, atoms, zoomed, [faint, table], scene);
    return [...new Set([...pixels].filter(Boolean))];
  };
  assert.deepEqual(drawn(20), [faint[256 + (1000 >> 8)]]);
  assert.deepEqual(drawn(400), [table[256 + (1000 >> 8)]]);
});

test('the nearest atom is found, within reach, in its lane', () => {
  const atoms = unpackAtoms(
      packed([
        [5, 10, 1000, 1, 0, 0],
        [15, 40, 60000, 1, 1, 0],
      ]),
      2,
    ),
    x = (axes.seconds[5] / scene.duration) * 40;
  const y = 32 - (axes.hertz[10] / 4000) * 32;
  assert.equal(nearestAtom(atoms, plane(), axes, x + 1, y), 0);
  assert.equal(nearestAtom(atoms, plane(), axes, x + 20, 0), -1);
  atoms.colourRow[0] = HIDDEN;
  assert.equal(nearestAtom(atoms, plane(), axes, x + 1, y), -1);
});
