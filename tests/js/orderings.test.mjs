import assert from 'node:assert/strict';
import { test } from 'node:test';

import { unpack } from '../../atomizer/ui/static/atoms.js';
import { countAt, cumulated, order, ranksOf, stations, worth } from '../../atomizer/ui/static/orderings.js';
import { packed, scene, someRows } from './help.mjs';

const atoms = unpack(packed(someRows(200)), 200);
const keys = { time: ['frame', 'bin', 'channel'], frequency: ['bin', 'frame', 'channel'], channel: ['channel', 'frame', 'bin'] };

test('orderings sort by their feature and break ties by time, frequency, channel', () => {
  for (const [name, names] of Object.entries(keys)) {
    const found = order(atoms, name, scene);
    for (let n = 1; n < found.length; n++) {
      const [a, b] = [found[n - 1], found[n]].map((i) => names.map((key) => atoms[key][i]));
      const differs = a.findIndex((v, k) => v !== b[k]);
      assert.ok(differs < 0 || a[differs] < b[differs], name);
    }
  }
  const loud = order(atoms, 'velocity', scene);
  for (let n = 1; n < loud.length; n++) assert.ok(atoms.velocity[loud[n - 1]] >= atoms.velocity[loud[n]]);
});

test('every ordering is a permutation, the random one depends on its seed alone', () => {
  for (const name of ['time', 'frequency', 'velocity', 'channel', 'random']) {
    assert.deepEqual([...order(atoms, name, scene)].sort((a, b) => a - b), [...Array(200).keys()]);
  }
  assert.deepEqual(order(atoms, 'random', scene, 3), order(atoms, 'random', scene, 3));
  assert.notDeepEqual(order(atoms, 'random', scene, 3), order(atoms, 'random', scene, 4));
});

test('ranks undo a permutation, and run backwards where it is reversed', () => {
  const found = order(atoms, 'random', scene), ranks = ranksOf(found, false), back = ranksOf(found, true);
  found.forEach((i, n) => { assert.equal(ranks[i], n); assert.equal(back[i], 199 - n); });
});

test('what atoms are worth rises to the whole', () => {
  const amplitude = Float32Array.from({ length: 200 }, (_, i) => (i + 1) / 200), whole = amplitude.reduce((sum, a) => sum + a * a, 0);
  for (const reverse of [false, true]) {
    const sums = cumulated(order(atoms, 'velocity', scene), amplitude);
    assert.equal(worth(sums, 0, reverse, whole).energy, 0);
    let last = -1;
    for (const n of stations(200)) {
      const { energy, snr } = worth(sums, n, reverse, whole);
      assert.ok(energy >= last);
      if (energy < 1) assert.ok(Math.abs(snr + 10 * Math.log10(1 - energy)) < 1e-6);
      last = energy;
    }
    assert.ok(Math.abs(last - 1) < 1e-9);
  }
});

test('a slider reaches none and all', () => {
  for (const name of ['time', 'velocity']) {
    assert.equal(countAt(0, 5000, name), 0);
    assert.equal(countAt(1000, 5000, name), 5000);
    let last = 0;
    for (let place = 0; place <= 1000; place += 50) { assert.ok(countAt(place, 5000, name) >= last); last = countAt(place, 5000, name); }
  }
  assert.deepEqual(stations(0), []);
  assert.deepEqual([stations(5000)[0], stations(5000).at(-1)], [1, 5000]);
});
