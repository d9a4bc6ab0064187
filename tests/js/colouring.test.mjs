import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FILLED, HIDDEN, KEPT, UNKNOWN, unpackAtoms } from '../../atomizer/ui/static/plot/atoms.js';
import { legendEntries, colourAtoms } from '../../atomizer/ui/static/plot/colouring.js';
import { channelNames } from '../../atomizer/ui/static/util/format.js';
import { packed } from './help.mjs';

const names = [
  'negative',
  'positive',
  'filled negative',
  'filled positive',
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
  unpackAtoms(
    packed([
      [0, 0, 1, 0, 0, KEPT],
      [1, 1, 2, 1, 1, KEPT],
      [2, 2, 3, 1, 0, UNKNOWN],
      [3, 3, 4, 0, 1, FILLED],
    ]),
    4,
  );
const coloured = (style, a = atoms()) => {
  colourAtoms(
    a,
    {
      colour: 'sign',
      version: 'filled',
      channel: null,
      pending: false,
      ranks: null,
      first: null,
      ...style,
    },
    rows,
    4,
  );
  return [...a.colourRow].map((k) => (k === HIDDEN ? '' : names[k]));
};

test('colours by sign, state and channel', () => {
  assert.deepEqual(coloured({}), ['negative', 'positive', 'unknown', 'filled negative']);
  assert.deepEqual(coloured({ colour: 'state' }), ['kept', 'kept', 'unknown', 'filled']);
  assert.deepEqual(coloured({ colour: 'channel' }), [
    'channel 0',
    'channel 1',
    'unknown',
    'channel 1',
  ]);
  assert.deepEqual(coloured({ channel: 1 }), ['', 'positive', '', 'filled negative']);
});

test('every version shows the atoms that are heard', () => {
  assert.deepEqual(coloured({ version: 'masked' }), ['negative', 'positive', '', '']);
  assert.deepEqual(coloured({ version: 'change' }), ['', '', '', 'filled negative']);
  const ranks = Uint32Array.of(3, 0, 1, 2);
  assert.deepEqual(coloured({ version: 'first', ranks, first: 2 }), [
    '',
    'positive',
    'unknown',
    '',
  ]);
});

test('selected atoms that are not filled in are unknown', () => {
  const a = atoms();
  a.selected.fill(1);
  assert.deepEqual(coloured({ pending: true }, a), [
    'unknown',
    'unknown',
    'unknown',
    'filled negative',
  ]);
});

test('filled-in atoms appear up to a rank', () => {
  const revealed = (count) => coloured({ revealed: { ranks: Uint32Array.of(0, 0, 0, 7), count } });
  assert.deepEqual(revealed(7), ['negative', 'positive', 'unknown', '']);
  assert.deepEqual(revealed(8), ['negative', 'positive', 'unknown', 'filled negative']);
});

test('ranks become classes', () => {
  assert.deepEqual(
    coloured({ colour: 'rank', version: 'original', ranks: Uint32Array.of(0, 1, 2, 3) }),
    ['rank 0', 'rank 1', 'rank 2', 'rank 3'],
  );
});

test('the legend lists what occurs', () => {
  assert.deepEqual(
    legendEntries('channel', ['left', 'right'], 4).map(([, text]) => text),
    ['left', 'right', 'unknown'],
  );
  assert.deepEqual(
    legendEntries('channel', channelNames({ channels: 3 }), 4).map(([, text]) => text),
    ['channel 0', 'channel 1', 'channel 2', 'unknown'],
  );
  assert.deepEqual(
    legendEntries('rank', ['left', 'right'], 4).map(([name]) => name),
    ['rank 0', 'rank 2', 'rank 3', 'unknown'],
  );
});
