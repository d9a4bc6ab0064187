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

/** A database of one store, as far as the page uses it. */
function database(values) {
  const request = (result) => {
    const made = { result };
    queueMicrotask(() => made.onsuccess());
    return made;
  };
  const store = {
    get: (key) => request(values.get(key)),
    getAllKeys: () => request([...values.keys()]),
    getAll: () => request([...values.values()]),
    put: (value, key) => request(values.set(key, value)),
    delete: (key) => values.delete(key),
  };
  const opened = { transaction: () => ({ objectStore: () => store }) };
  return { open: () => request(opened) };
}

test('a reload and Back bring sound, selection and fills, a visit does not', async (context) => {
  const values = new Map();
  globalThis.indexedDB = database(values);
  const persistence = new Persistence(storage());
  persistence.claimName = async () => false;
  persistence.lastFile = { name: 'own.wav' };
  await persistence.saveSound({ name: 'own.wav', duration: 1, channels: 1, total: 9 }, '');
  persistence.saveSelection([{ kind: 'rect', t: [0, 1] }]);
  persistence.saveSession('key of the session');
  persistence.saveView({ name: 'own.wav', shownId: 2 });
  persistence.isShown = false; // another sound is shown instead of the stored one
  persistence.saveView({ name: 'example.wav', shownId: 3 });
  values.set('closed tab', { name: 'old.wav', time: 0 });
  let type = '';
  context.mock.method(performance, 'getEntriesByType', () => [{ type }]);
  for (type of ['reload', 'back_forward']) {
    const { name, blob, items, view, resume, isCopy } = await persistence.restore();
    assert.deepEqual(view, { name: 'own.wav', shownId: 2 });
    assert.deepEqual([name, blob.name, items[0].t], ['own.wav', 'own.wav', [0, 1]], type);
    assert.deepEqual([resume, isCopy], ['key of the session', false]);
  }
  const stored = { ...values.get(persistence.tab), blob: { name: 'with 24 bits' } };
  persistence.lastFile = null;
  await persistence.saveSound(stored, 'a copy with 16 bits', stored);
  assert.equal(values.get(persistence.tab).blob, stored.blob);
  assert.deepEqual([...values.keys()], [persistence.tab], 'sounds of closed tabs are deleted');
  type = 'navigate';
  assert.equal(await persistence.restore(), null);
});
