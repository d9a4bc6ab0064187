import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  isSameSound,
  Persistence,
  expiredKeys,
} from '../../atomizer/ui/static/state/persistence.js';

function storage() {
  const values = new Map();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, String(value)),
  };
}

test('a tab keeps its name; two tabs have two names', () => {
  const one = storage();
  assert.equal(new Persistence(one).tab, new Persistence(one).tab);
  assert.notEqual(new Persistence(one).tab, new Persistence(storage()).tab);
});

test('a tab that was copied takes another name', async () => {
  const held = new Set();
  const locks = {
    request: async (name, options, answer) => {
      const isFree = !held.has(name);
      held.add(name);
      return answer(isFree ? { name } : null);
    },
  };
  const copied = storage();
  const [first, copy] = [new Persistence(copied), new Persistence(copied)];
  const { tab } = first;
  assert.equal(await first.claimName(locks), false);
  assert.equal(await copy.claimName(locks), true);
  assert.ok(first.tab === tab && copy.tab !== tab && new Persistence(copied).tab === copy.tab);
  const refused = { request: () => Promise.reject(new Error('sandboxed')) };
  for (const without of [null, refused])
    assert.equal(await new Persistence(copied).claimName(without), false);
});

test('a sound is the same by its name, length, channels and atoms', () => {
  const stored = { name: 'x.wav', duration: 3, channels: 2, total: 1000 };
  assert.ok(isSameSound(stored, { ...stored, id: 'another' }));
  for (const change of [{ name: 'y.wav' }, { duration: 4 }, { channels: 1 }, { total: 1001 }])
    assert.ok(!isSameSound(stored, { ...stored, ...change }));
});

test('entries without a time or older than a day are expired', () => {
  const now = 1e12;
  assert.deepEqual(
    expiredKeys(
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
  const persistence = new Persistence(storage()),
    element = new EventTarget();
  persistence.watchFiles(element);
  element.dispatchEvent(
    Object.assign(new Event('drop'), { dataTransfer: { files: [{ name: 'dropped.wav' }] } }),
  );
  assert.equal(persistence.lastFile.name, 'dropped.wav');
  element.dispatchEvent(Object.assign(new Event('drop'), { dataTransfer: { files: [] } }));
  assert.equal(persistence.lastFile.name, 'dropped.wav');
});
