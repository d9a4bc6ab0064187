import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aheadIn, progressText, watchQueue } from '../../atomizer/ui/static/panels/shell.js';
import { emptyAtoms, FILLED } from '../../atomizer/ui/static/plot/atoms.js';
import { extremesBetween, extremesOf } from '../../atomizer/ui/static/plot/waveform.js';
import { Demo, demoRange } from '../../atomizer/ui/static/state/demo.js';
import { revealRanks } from '../../atomizer/ui/static/state/reveal.js';
import { padded, startOfFill } from '../../atomizer/ui/static/state/selection.js';
import {
  arePartsKnown,
  keyOf,
  searchOf,
  statusOf,
} from '../../atomizer/ui/static/state/selectors.js';
import { initialState } from '../../atomizer/ui/static/state/view_state.js';
import { Playback } from '../../atomizer/ui/static/view/playback.js';
import { newDocument, newElement } from './dom.mjs';
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

test('a new fill is heard next, unless the position is there already', () => {
  const spans = [
    [4, 4.5],
    [6, 7],
  ];
  assert.deepEqual(
    [0, 9].map((at) => startOfFill(at, spans)),
    [3.5, 3.5],
  );
  assert.deepEqual(
    [3, 5, 8].map((at) => startOfFill(at, spans)),
    [null, null, null],
  );
  assert.equal(startOfFill(5, [[0.2, 0.4]]), 0);
  assert.equal(startOfFill(5, []), null);
});

test('a chosen variation is heard filled, not the original or its first atoms', async () => {
  const asked = [];
  const variations = { choose: async (id, version) => asked.push([id, version]) && false };
  for (const version of ['first', 'original', 'masked'])
    await new Playback({ state: { version }, variations }).openVariation(3);
  assert.deepEqual(asked, [
    [3, 'filled'],
    [3, 'filled'],
    [3, undefined],
  ]);
});

test('the page says what is looked for until it is known', () => {
  const items = [{ part: 'keep:9' }, { part: 'transients:20' }];
  const state = { ...initialState(), items, status: 'Nothing is selected' };
  assert.equal(statusOf(state), 'Looking for transients …');
  assert.equal(searchOf({ ...state, items: items.slice(0, 1) }), 'Counting …');
  assert.equal(searchOf({ ...state, describedKey: keyOf(items) }), '');
  assert.equal(searchOf({ ...state, partBits: { key: '["keep:9","transients:20"]' } }), '');
  assert.equal(searchOf({ ...state, items: [{ kind: 'rect', t: [1, 2] }] }), '');
  const narrowed = [{ kind: 'rect', t: [1, 2] }, { part: 'standout:8' }];
  assert.equal(searchOf({ ...state, items: narrowed }), 'Looking for what stands out …');
  const asked = { ...state, items: narrowed, selectionAliases: new Map() };
  assert.equal(arePartsKnown({ ...asked, partBits: { key: keyOf(narrowed) } }), true);
  // what stands out depends on the regions, too
  assert.equal(arePartsKnown({ ...asked, partBits: { key: '["standout:8"]' } }), false);
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
  assert.equal(progressText({ done: 1, total: 3 }, 0), '33 %');
  assert.equal(progressText(null, 0), '…');
  assert.equal(progressText(null, 2), 'waiting, 2 ahead');
  const texts = ['queue: 1/1 | 0.3/2.0s', 'queue: 2/3', 'processing | 0.4s', ''];
  assert.deepEqual(texts.map(aheadIn), [1, 2, 0, 0]);
  const state = { ...initialState(), ahead: 1, status: 'Ready' };
  assert.equal(statusOf(state), 'Waiting for another fill (1 ahead) …');
  assert.equal(statusOf({ ...state, busy: true }), 'Ready');
});

test('a fill shows from its press on that it is waited for', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const [queue, text] = [newElement(), newElement()];
  newDocument({ '#queue': queue, '#queue .progress-text': text });
  let read = () => {};
  globalThis.MutationObserver = class {
    constructor(observe) {
      read = observe;
    }
    observe() {}
  };
  const places = [];
  watchQueue(({ isQueued, ahead }) => places.push([isQueued, ahead]));
  for (const shown of ['0.1s', 'queue: 2/2 | 0.2s', 'processing | 0.9s', '']) {
    text.textContent = shown;
    read();
    if (shown.includes('queue')) context.mock.timers.tick(500);
  }
  const expected = [
    [true, 0],
    [true, 2],
    [true, 0],
    [false, 0],
  ];
  assert.deepEqual(places, expected);
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
