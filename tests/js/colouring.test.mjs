import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FILLED, HIDDEN, KEPT, UNKNOWN, unpack } from '../../atomizer/ui/static/plot/atoms.js';
import { legendOf, paintKinds } from '../../atomizer/ui/static/plot/colouring.js';
import { packed } from './help.mjs';

const names = [
  'negative',
  'positive',
  'unknown',
  'kept',
  'filled',
  'channel 0',
  'channel 1',
  'rank 0',
  'rank 1',
  'rank 2',
  'rank 3',
];
const rows = new Map(names.map((name, k) => [name, k]));
const atoms = () =>
  unpack(
    packed([
      [0, 0, 1, 0, 0, KEPT],
      [1, 1, 2, 1, 1, KEPT],
      [2, 2, 3, 1, 0, UNKNOWN],
      [3, 3, 4, 0, 1, FILLED],
    ]),
    4,
  );
const painted = (look, a = atoms()) => {
  paintKinds(
    a,
    {
      colour: 'sign',
      version: 'filled',
      channel: null,
      pending: false,
      ranks: null,
      first: null,
      ...look,
    },
    rows,
    4,
  );
  return [...a.kind].map((k) => (k === HIDDEN ? '' : names[k]));
};

test('colours by sign, state and channel', () => {
  assert.deepEqual(painted({}), ['negative', 'positive', 'unknown', 'negative']);
  assert.deepEqual(painted({ colour: 'state' }), ['kept', 'kept', 'unknown', 'filled']);
  assert.deepEqual(painted({ colour: 'channel' }), [
    'channel 0',
    'channel 1',
    'unknown',
    'channel 1',
  ]);
  assert.deepEqual(painted({ channel: 1 }), ['', 'positive', '', 'negative']);
});

test('every version shows what is heard', () => {
  assert.deepEqual(painted({ version: 'masked' }), ['negative', 'positive', '', '']);
  assert.deepEqual(painted({ version: 'change' }), ['', '', '', 'negative']);
  const ranks = Uint32Array.of(3, 0, 1, 2);
  assert.deepEqual(painted({ version: 'first', ranks, first: 2 }), ['', 'positive', 'unknown', '']);
});

test('what is selected and not yet filled in is grey', () => {
  const a = atoms();
  a.selected.fill(1);
  assert.deepEqual(painted({ pending: true }, a), ['unknown', 'unknown', 'unknown', 'negative']);
});

test('ranks become classes', () => {
  assert.deepEqual(
    painted({ colour: 'rank', version: 'original', ranks: Uint32Array.of(0, 1, 2, 3) }),
    ['rank 0', 'rank 1', 'rank 2', 'rank 3'],
  );
});

test('the legend lists what occurs', () => {
  assert.deepEqual(
    legendOf('channel', 2, 4).map(([, text]) => text),
    ['left', 'right', 'unknown'],
  );
  assert.deepEqual(
    legendOf('channel', 3, 4).map(([, text]) => text),
    ['channel 0', 'channel 1', 'channel 2', 'unknown'],
  );
  assert.deepEqual(
    legendOf('rank', 2, 4).map(([kind]) => kind),
    ['rank 0', 'rank 2', 'rank 3', 'unknown'],
  );
});
