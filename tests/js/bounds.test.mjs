import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  describeBand,
  editedIndex,
  parseHertz,
  parseSeconds,
  withBounds,
} from '../../atomizer/ui/static/panels/bounds.js';
import { emptyAtoms } from '../../atomizer/ui/static/plot/atoms.js';
import { noteTicks } from '../../atomizer/ui/static/plot/scales.js';
import { outlineOf } from '../../atomizer/ui/static/state/outline.js';
import { nearestPeak, spectrumOf } from '../../atomizer/ui/static/state/partials.js';
import { GridSelection } from '../../atomizer/ui/static/state/selection.js';
import { connectedCells } from '../../atomizer/ui/static/tools/wand.js';
import { axes, dice, scene } from './help.mjs';

test('bounds are typed in Hz, as notes, in seconds and as a clock', () => {
  assert.deepEqual(['440', '1.2k', '1.2 kHz', '', 'A4', 'a3'].map(parseHertz), [
    440,
    1200,
    1200,
    null,
    440,
    220,
  ]);
  assert.ok(Math.abs(parseHertz('C♯5') - 554.37) < 0.01);
  assert.ok(Math.abs(parseHertz('B♭2') - 116.54) < 0.01);
  assert.ok(Math.abs(parseHertz('A4 +50') - 452.89) < 0.01);
  assert.deepEqual(['1.5', '1,5 s', '1:02.5', ''].map(parseSeconds), [1.5, 1.5, 62.5, null]);
  assert.ok(Number.isNaN(parseHertz('loud')) && Number.isNaN(parseSeconds('late')));
});

test('a box takes the typed bounds, and refuses others with a sentence', () => {
  const box = { kind: 'rect', op: 'add', t: [1, 2], f: [300, 3000] };
  const texts = { start: '1', end: '', low: 'A4', high: '880' };
  const sound = { duration: 11, rate: 44100, sound_rate: 8000 };
  const typed = (more) => withBounds(box, { ...texts, ...more }, sound);
  assert.deepEqual(typed({}), { ...box, t: [1, null], f: [440, 880] });
  assert.deepEqual(typed({ end: '99', high: '30k' }), { ...box, t: [1, 11], f: [440, 22050] });
  for (const [more, message, fields] of [
    [{ high: '100' }, /below/, ['low', 'high']],
    [{ low: 'x' }, /Hz or a note/, ['low']],
    [{ start: '-3', end: 'abc' }, /enter seconds/, ['start', 'end']],
    [{ start: '99' }, /The sound ends at 11/, ['start']],
    [{ low: '30000' }, /Atoms end at 22/, ['low']],
    [{ start: '', low: '', high: '' }, /one bound/, []],
  ])
    assert.throws(() => typed(more), { message, fields });
  assert.equal(describeBand([220, 880]), 'A3–A5, centre 440 Hz (A4)');
});

test('the bounds are those of the active or the only box', () => {
  const box = { kind: 'rect', t: [1, 2] };
  assert.deepEqual(
    [editedIndex([box], -1), editedIndex([box, box], -1), editedIndex([box, box], 1)],
    [0, -1, 1],
  );
  assert.equal(editedIndex([{ part: 'random:50' }], -1), -1);
});

test('the axis shows as many notes as there is space for', () => {
  const texts = (low, high) => noteTicks('log', low, high, 380).map(({ text }) => text);
  assert.deepEqual(texts(30, 22050), ['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8', 'C9', 'C10']);
  assert.deepEqual(texts(430, 560), ['A4', 'A♯4', 'B4', 'C5', 'C♯5']);
});

test('a box snaps to the nearest partial, not to a louder one', () => {
  const atoms = emptyAtoms(4);
  atoms.frame.fill(5);
  atoms.bin.set([20, 21, 40, 10]);
  const power = spectrumOf(atoms, Float32Array.of(0.5, 0.3, 0.9, 0.001), scene, [0, 1]);
  const perBin = scene.rate / 2 / scene.hop;
  assert.deepEqual(nearestPeak(power, 22 * perBin, perBin), [20, 21]);
  assert.deepEqual(nearestPeak(power, 35 * perBin, perBin), [40, 40]);
  assert.equal(nearestPeak(new Float64Array(64), 1000, perBin), null);
});

/** Atoms in all cells of the first channel, by their level in dB; and their index by place. */
function grid(level) {
  const { frames, hop, floor_db: floor } = scene;
  const places = Array.from({ length: frames * hop }, (_, cell) => cell).sort(
    (a, b) => level(Math.floor(a / hop), a % hop) - level(Math.floor(b / hop), b % hop),
  );
  const atoms = emptyAtoms(places.length);
  places.forEach((cell, i) => {
    atoms.frame[i] = Math.floor(cell / hop);
    atoms.bin[i] = cell % hop;
    atoms.velocity[i] = 65535 * (1 - level(atoms.frame[i], atoms.bin[i]) / floor);
  });
  return { atoms, indexOf: (frame, bin) => places.indexOf(frame * hop + bin) };
}

test('the wand takes a tone whose single atoms go up and down', () => {
  // from frame 3 to 14, a loud and a quiet atom in turn, above a carpet
  const isTone = (m, k) => k === 10 && m >= 3 && m <= 14;
  const { atoms, indexOf } = grid((m, k) => (isTone(m, k) ? (m % 2 ? -5 : -20) : -30));
  const taken = (drop) => [...connectedCells(atoms, scene, indexOf(9, 10), { drop, channel: 0 })];
  const cells = taken(6);
  assert.deepEqual([...new Set(cells.map((cell) => cell % 64))], [10]);
  const times = cells.map((cell) => Math.floor(cell / 64)).sort((a, b) => a - b);
  assert.ok(times.length >= 10 && times.at(-1) - times[0] === times.length - 1, 'no gaps');
  assert.equal(taken(40).length, 20 * 64);
});

test('the wand takes a quiet carpet without a louder partial', () => {
  const { atoms, indexOf } = grid((m, k) => (k === 13 ? -10 : -50));
  const bins = (start) =>
    [...connectedCells(atoms, scene, start, { drop: 10, channel: null })].map((cell) => cell % 64);
  const carpet = bins(indexOf(5, 4));
  assert.ok(carpet.length === 13 * 20 && !carpet.includes(13));
  assert.deepEqual([...new Set(bins(indexOf(5, 14)))], [13]); // the loud one beside it
});

test('an outline encloses its cells and no others but neighbours', () => {
  const roll = dice(3);
  for (let trial = 0; trial < 20; trial++) {
    const cells = new Set([10 * 64 + 30]);
    let [m, k] = [10, 30];
    for (let step = 0; step < 25; step++) {
      m = Math.min(18, Math.max(1, m + roll(3) - 1));
      k = Math.min(62, Math.max(1, k + roll(3) - 1));
      cells.add(m * 64 + k);
    }
    const selection = new GridSelection(scene, axes);
    selection.set([{ kind: 'lasso', op: 'add', scale: 'linear', points: outlineOf(cells, scene) }]);
    for (const cell of cells) assert.equal(selection.mask[cell], 1);
    for (let cell = 0; cell < 20 * 64; cell++) {
      if (!selection.mask[cell]) continue;
      const near = [...cells].some(
        (other) =>
          Math.abs((other >> 6) - (cell >> 6)) <= 1 && Math.abs((other & 63) - (cell & 63)) <= 1,
      );
      const [row, bin] = [cell >> 6, cell & 63];
      const isEnclosed =
        [...cells].some((o) => o >> 6 < row) && [...cells].some((o) => o >> 6 > row);
      assert.ok(near || isEnclosed, row + ',' + bin);
    }
  }
});
