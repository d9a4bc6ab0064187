import assert from 'node:assert/strict';
import { test } from 'node:test';

import { unpackAtoms } from '../../atomizer/ui/static/plot/atoms.js';
import {
  countAtPosition,
  countUntilTime,
  cumulativeEnergy,
  orderAtoms,
  ranksOf,
  curveCounts,
  timeOfCount,
  qualityOf,
} from '../../atomizer/ui/static/state/orderings.js';
import { OrderPanel } from '../../atomizer/ui/static/panels/order_panel.js';
import { packed, scene, someRows } from './help.mjs';

const atoms = unpackAtoms(packed(someRows(200)), 200);
const keys = {
  time: ['frame', 'bin', 'channel'],
  frequency: ['bin', 'frame', 'channel'],
  channel: ['channel', 'frame', 'bin'],
};

test('ties are broken by time, frequency and channel', () => {
  for (const [name, names] of Object.entries(keys)) {
    const found = orderAtoms(atoms, name, scene);
    for (let n = 1; n < found.length; n++) {
      const [a, b] = [found[n - 1], found[n]].map((i) => names.map((key) => atoms[key][i]));
      const differs = a.findIndex((v, k) => v !== b[k]);
      assert.ok(differs < 0 || a[differs] < b[differs], name);
    }
  }
  const loud = orderAtoms(atoms, 'velocity', scene);
  for (let n = 1; n < loud.length; n++)
    assert.ok(atoms.velocity[loud[n - 1]] >= atoms.velocity[loud[n]]);
});

test('every ordering is a permutation, the random one is seeded', () => {
  for (const name of ['time', 'frequency', 'velocity', 'channel', 'random', 'audibility']) {
    assert.deepEqual(
      [...orderAtoms(atoms, name, scene)].sort((a, b) => a - b),
      [...Array(200).keys()],
    );
  }
  assert.deepEqual(orderAtoms(atoms, 'random', scene, 3), orderAtoms(atoms, 'random', scene, 3));
  assert.notDeepEqual(orderAtoms(atoms, 'random', scene, 3), orderAtoms(atoms, 'random', scene, 4));
});

test('an ordering that the page does not have is refused', () => {
  for (const name of ['outwards', '', 'Time', 'toString'])
    assert.throws(() => orderAtoms(atoms, name, scene), /state\/orderings\.js has no ordering/);
});

test('audible atoms come before those that others mask', () => {
  const fine = { ...scene, rate: 44100, hop: 1024, loudest: 3 };
  const rows = [100, 101, 102, 103].map((bin) => [2, bin, 65535, 1, 0, 0]);
  for (const [frame, bin] of [
    [2, 130],
    [6, 300],
    [6, 20],
    [6, 1000],
  ])
    // prettier-ignore
    rows.unshift([frame, bin, 30000, 1, 0, 0]);
  const few = unpackAtoms(packed(rows), rows.length);
  const bins = [...orderAtoms(few, 'audibility', fine)].map((i) => few.bin[i]);
  assert.equal(bins.at(-1), 1000);
  assert.ok(bins.indexOf(130) > bins.indexOf(20) && bins.indexOf(20) > bins.indexOf(300));
});

test('ranks invert a permutation, or its reverse', () => {
  const found = orderAtoms(atoms, 'random', scene),
    ranks = ranksOf(found, false),
    back = ranksOf(found, true);
  found.forEach((i, n) => {
    assert.equal(ranks[i], n);
    assert.equal(back[i], 199 - n);
  });
});

test('the quality of the first n atoms rises to the whole', () => {
  const amplitude = Float32Array.from({ length: 200 }, (_, i) => (i + 1) / 200),
    whole = amplitude.reduce((sum, a) => sum + a * a, 0);
  for (const reverse of [false, true]) {
    const sums = cumulativeEnergy(orderAtoms(atoms, 'velocity', scene), amplitude);
    assert.equal(qualityOf(sums, 0, reverse, whole).energy, 0);
    let last = -1;
    for (const n of curveCounts(200)) {
      const { energy, snr } = qualityOf(sums, n, reverse, whole);
      assert.ok(energy >= last);
      if (energy < 1) assert.ok(Math.abs(snr + 10 * Math.log10(1 - energy)) < 1e-6);
      last = energy;
    }
    assert.ok(Math.abs(last - 1) < 1e-9);
  }
});

test('the slider reaches no atoms and all atoms', () => {
  for (const name of ['time', 'velocity']) {
    assert.equal(countAtPosition(0, 5000, name), 0);
    assert.equal(countAtPosition(1000, 5000, name), 5000);
    let last = 0;
    for (let place = 0; place <= 1000; place += 50) {
      assert.ok(countAtPosition(place, 5000, name) >= last);
      last = countAtPosition(place, 5000, name);
    }
  }
  assert.deepEqual(curveCounts(0), []);
  assert.deepEqual([curveCounts(5000)[0], curveCounts(5000).at(-1)], [1, 5000]);
});

const perFrame = scene.hop / scene.rate;

test('atoms are counted up to a time, or from it on if reversed', () => {
  const found = orderAtoms(atoms, 'time', scene);
  for (const seconds of [-1, 0, 3 * perFrame, 0.05, scene.duration, 9]) {
    const times = Array.from(atoms.frame, (m) => m * perFrame);
    assert.equal(
      countUntilTime(found, atoms.frame, perFrame, seconds, false),
      times.filter((t) => t <= seconds).length,
    );
    assert.equal(
      countUntilTime(found, atoms.frame, perFrame, seconds, true),
      times.filter((t) => t >= seconds).length,
    );
  }
  for (const reverse of [false, true]) {
    const t = timeOfCount(found, atoms.frame, perFrame, 70, reverse, scene.duration);
    assert.ok(countUntilTime(found, atoms.frame, perFrame, t, reverse) >= 70);
    assert.ok(
      countUntilTime(found, atoms.frame, perFrame, t + (reverse ? 1e-6 : -1e-6), reverse) < 70,
    );
  }
  assert.deepEqual(
    [false, true].map((reverse) => timeOfCount(found, atoms.frame, perFrame, 0, reverse, 5)),
    [0, 5],
  );
});

/** A panel with a player whose clock the test turns. */
function panel(name, reverse = false) {
  globalThis.Option = class {};
  const element = { replaceChildren() {}, addEventListener() {}, setAttribute() {} };
  const player = {
    playing: false,
    offset: 0,
    at: 0,
    range: () => [0, scene.duration],
    removeBuffer() {},
    position() {
      return this.playing ? this.at : this.offset;
    },
    start() {
      this.playing = true;
      this.at = this.offset;
    },
    rewind() {
      this.playing = false;
      this.offset = 0;
    },
  };
  const made = new OrderPanel(() => element, { orderings: ['time'], fileOrderings: [] }, player, {
    changed() {},
    isDark: () => false,
  });
  made.show(scene, atoms);
  Object.assign(made, { name, reverse, position: 0 });
  return { made, player };
}

test('building up by time follows the playhead to its end', () => {
  const { made, player } = panel('time'),
    step = made.followPlayhead();
  step();
  assert.deepEqual([player.playing, player.position()], [true, 0]);
  for (const seconds of [0, 0.02, 0.07, 0.11]) {
    player.at = seconds;
    made.position = step();
    const last =
      Math.max(
        ...Array.from(made.permutation('time').found.slice(0, made.first), (i) => atoms.frame[i]),
      ) * perFrame;
    assert.ok(last <= seconds + perFrame + 1e-9 && last > seconds - perFrame);
    assert.equal(step(), made.position); // time goes by without the playhead
  }
  player.playing = false; // a visitor pauses it
  player.offset = 0.11;
  assert.equal(step(), made.position);
  player.rewind();
  assert.equal(step(), 1000);
});

test('a reversed build-up plays again from its new start', (context) => {
  let now = 0;
  context.mock.method(performance, 'now', () => now);
  const long = { ...scene, duration: 4 },
    { made, player } = panel('time', true);
  made.scene = long;
  const step = made.followPlayhead();
  assert.equal(step(), 0);
  assert.equal(player.playing, false); // nothing has come yet
  now = 1000;
  step();
  assert.deepEqual([player.playing, player.position()], [true, 3]);
  player.rewind();
  now = 2500;
  step();
  assert.deepEqual([player.playing, player.position()], [true, 1.5]);
  now = 4100;
  assert.equal(step(), 1000);
});

test('a short sound plays again while an ordering builds up', () => {
  const { made, player } = panel('frequency'),
    step = made.followClock();
  step();
  assert.equal(player.playing, true);
  player.rewind();
  step();
  assert.equal(player.playing, true);
  player.playing = false; // but not where a visitor pauses it
  player.offset = 0.1;
  step();
  assert.equal(player.playing, false);
});
