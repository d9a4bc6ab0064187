import assert from 'node:assert/strict';
import { test } from 'node:test';

import { unpack } from '../../atomizer/ui/static/plot/atoms.js';
import {
  countAt,
  countUntil,
  cumulated,
  order,
  ranksOf,
  stations,
  timeUntil,
  worth,
} from '../../atomizer/ui/static/state/orderings.js';
import { OrderPanel } from '../../atomizer/ui/static/panels/order_panel.js';
import { packed, scene, someRows } from './help.mjs';

const atoms = unpack(packed(someRows(200)), 200);
const keys = {
  time: ['frame', 'bin', 'channel'],
  frequency: ['bin', 'frame', 'channel'],
  channel: ['channel', 'frame', 'bin'],
};

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
  for (let n = 1; n < loud.length; n++)
    assert.ok(atoms.velocity[loud[n - 1]] >= atoms.velocity[loud[n]]);
});

test('every ordering is a permutation, the random one depends on its seed alone', () => {
  for (const name of ['time', 'frequency', 'velocity', 'channel', 'random']) {
    assert.deepEqual(
      [...order(atoms, name, scene)].sort((a, b) => a - b),
      [...Array(200).keys()],
    );
  }
  assert.deepEqual(order(atoms, 'random', scene, 3), order(atoms, 'random', scene, 3));
  assert.notDeepEqual(order(atoms, 'random', scene, 3), order(atoms, 'random', scene, 4));
});

test('ranks undo a permutation, and run backwards where it is reversed', () => {
  const found = order(atoms, 'random', scene),
    ranks = ranksOf(found, false),
    back = ranksOf(found, true);
  found.forEach((i, n) => {
    assert.equal(ranks[i], n);
    assert.equal(back[i], 199 - n);
  });
});

test('what atoms are worth rises to the whole', () => {
  const amplitude = Float32Array.from({ length: 200 }, (_, i) => (i + 1) / 200),
    whole = amplitude.reduce((sum, a) => sum + a * a, 0);
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
    for (let place = 0; place <= 1000; place += 50) {
      assert.ok(countAt(place, 5000, name) >= last);
      last = countAt(place, 5000, name);
    }
  }
  assert.deepEqual(stations(0), []);
  assert.deepEqual([stations(5000)[0], stations(5000).at(-1)], [1, 5000]);
});

const perFrame = scene.hop / scene.rate;

test('the atoms that have come by time are those until then, or, from the end, those from then on', () => {
  const found = order(atoms, 'time', scene);
  for (const seconds of [-1, 0, 3 * perFrame, 0.05, scene.duration, 9]) {
    const times = Array.from(atoms.frame, (m) => m * perFrame);
    assert.equal(
      countUntil(found, atoms.frame, perFrame, seconds, false),
      times.filter((t) => t <= seconds).length,
    );
    assert.equal(
      countUntil(found, atoms.frame, perFrame, seconds, true),
      times.filter((t) => t >= seconds).length,
    );
  }
  for (const reverse of [false, true]) {
    const t = timeUntil(found, atoms.frame, perFrame, 70, reverse, scene.duration);
    assert.ok(countUntil(found, atoms.frame, perFrame, t, reverse) >= 70);
    assert.ok(countUntil(found, atoms.frame, perFrame, t + (reverse ? 1e-6 : -1e-6), reverse) < 70);
  }
  assert.deepEqual(
    [false, true].map((reverse) => timeUntil(found, atoms.frame, perFrame, 0, reverse, 5)),
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
    drop() {},
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
  const made = new OrderPanel(() => element, ['time'], player, { changed() {}, dark: () => false });
  made.show(scene, atoms);
  Object.assign(made, { name, reverse, place: 0 });
  return { made, player };
}

test('by time, what is shown follows the playhead, however slow it is, and ends with it', () => {
  const { made, player } = panel('time'),
    step = made.alongTime();
  step();
  assert.deepEqual([player.playing, player.position()], [true, 0]);
  for (const seconds of [0, 0.02, 0.07, 0.11]) {
    player.at = seconds;
    made.place = step();
    const last =
      Math.max(
        ...Array.from(made.permutation('time').found.slice(0, made.first), (i) => atoms.frame[i]),
      ) * perFrame;
    assert.ok(last <= seconds + perFrame + 1e-9 && last > seconds - perFrame);
    assert.equal(step(), made.place); // time goes by without the playhead
  }
  player.playing = false; // a visitor pauses it
  player.offset = 0.11;
  assert.equal(step(), made.place);
  player.rewind();
  assert.equal(step(), 1000);
});

test('what comes from its end is played from where it has come to, again and again', (context) => {
  let now = 0;
  context.mock.method(performance, 'now', () => now);
  const long = { ...scene, duration: 4 },
    { made, player } = panel('time', true);
  made.scene = long;
  const step = made.alongTime();
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

test('a sound that is over before all of an ordering has come is played again', () => {
  const { made, player } = panel('frequency'),
    step = made.alongOrdering();
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
