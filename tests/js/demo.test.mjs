import assert from 'node:assert/strict';
import { test } from 'node:test';

import { progressText } from '../../atomizer/ui/static/panels/shell.js';
import { emptyAtoms, FILLED } from '../../atomizer/ui/static/plot/atoms.js';
import { extremesBetween, extremesOf } from '../../atomizer/ui/static/plot/waveform.js';
import { Demo, demoRange } from '../../atomizer/ui/static/state/demo.js';
import { revealRanks } from '../../atomizer/ui/static/state/reveal.js';
import { padded } from '../../atomizer/ui/static/state/selection.js';
import { scene } from './help.mjs';

test('an example loops around its hole, for a few seconds at most', () => {
  assert.deepEqual(demoRange([4, 4.5], 11, 0.5), [3.5, 5]);
  assert.deepEqual(demoRange([0, 11], 11, 0.5), [0, 4]);
  assert.deepEqual(demoRange([9, 11], 11, 0.5), [8.5, 11]);
  assert.deepEqual(padded([0.25, 10.75], 0.5, 11), [0, 11]);
});

test('a faulty original is heard before it is erased', () => {
  for (const [fromOriginal, expected] of [
    [true, ['original', 'masked', 'filled']],
    [false, ['masked', 'filled']],
  ]) {
    const chosen = [];
    const player = { passes: () => 0, duration: () => 11, stopVoices() {}, start() {} };
    const view = {
      player,
      store: { set() {} },
      display: { reveal() {} },
      playback: { margin: 0.5 },
    };
    const demo = new Demo(view);
    view.playback.chooseVersion = (version) => {
      demo.cancel();
      chosen.push(version);
    };
    demo.start([4, 5], fromOriginal);
    for (const passes of [0, 1, 1, 2, 2, 3]) {
      player.passes = () => passes;
      demo.tick();
    }
    assert.deepEqual(chosen, expected);
  }
});

test('filled-in atoms are ranked among themselves', () => {
  const atoms = emptyAtoms(4);
  atoms.bin.set([3, 9, 5, 1]);
  atoms.state.set([FILLED, FILLED, 0, FILLED]);
  assert.deepEqual([...revealRanks(atoms, scene, 'frequency', false).ranks], [1, 2, 0, 0]);
  assert.deepEqual([...revealRanks(atoms, scene, 'frequency', true).ranks], [1, 0, 0, 2]);
  assert.equal(revealRanks(atoms, scene, 'time', false).total, 3);
});

test('the button shows the progress, or the place in the queue', () => {
  assert.equal(progressText({ done: 1, total: 3 }, ''), '33 %');
  assert.equal(progressText(null, 'queue: 1/1 | 0.3/2.0s'), '…');
  assert.equal(progressText(null, 'queue: 2/3'), 'waiting, place 2 of 3');
});

test('a waveform shows the extremes of all channels', () => {
  const channels = [new Float32Array(300), new Float32Array(300)];
  channels[0][10] = 0.5;
  channels[1][290] = -0.25;
  const extremes = extremesOf({
    length: 300,
    numberOfChannels: 2,
    getChannelData: (c) => channels[c],
  });
  assert.deepEqual(extremesBetween(extremes, 0, 20), [0, 0.5]);
  assert.deepEqual(extremesBetween(extremes, 0, 300), [-0.25, 0.5]);
  assert.deepEqual(extremesBetween(extremes, 130, 200), [0, 0]);
});
