import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isSame, Keeper, stale } from '../../atomizer/ui/static/state/persistence.js';

function storage() {
  const values = new Map();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, String(value)),
  };
}

test('a tab keeps its name, and two tabs have two', () => {
  const one = storage();
  assert.equal(new Keeper(one).tab, new Keeper(one).tab);
  assert.notEqual(new Keeper(one).tab, new Keeper(storage()).tab);
});

test('a sound is the same by its name, length, channels and atoms', () => {
  const kept = { name: 'x.wav', duration: 3, channels: 2, total: 1000 };
  assert.ok(isSame(kept, { ...kept, id: 'another' }));
  for (const change of [{ name: 'y.wav' }, { duration: 4 }, { channels: 1 }, { total: 1001 }])
    assert.ok(!isSame(kept, { ...kept, ...change }));
});

test('what is older than a day, or of no time, is out of date', () => {
  const now = 1e12;
  assert.deepEqual(
    stale(
      [
        ['a', { time: now - 1000 }],
        ['b', { time: now - 25 * 3600 * 1000 }],
        ['c', {}],
      ],
      now,
    ),
    ['b', 'c'],
  );
});

test('the file that was chosen or dropped last is remembered', () => {
  const keeper = new Keeper(storage()),
    element = new EventTarget();
  keeper.follow(element);
  element.dispatchEvent(
    Object.assign(new Event('drop'), { dataTransfer: { files: [{ name: 'dropped.wav' }] } }),
  );
  assert.equal(keeper.chosen.name, 'dropped.wav');
  element.dispatchEvent(Object.assign(new Event('drop'), { dataTransfer: { files: [] } }));
  assert.equal(keeper.chosen.name, 'dropped.wav');
});
