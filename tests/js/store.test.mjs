import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Store } from '../../atomizer/ui/static/state/store.js';

/** A store of two numbers, and what a subscription to one of them and to their sum has seen. */
function watched(report) {
  const store = new Store({ a: 1, b: 2 }, report);
  const seen = { a: [], sum: [] };
  store.subscribe(
    ({ a }) => [a],
    (a) => seen.a.push(a),
  );
  store.subscribe(
    ({ a, b }) => [a + b],
    (sum) => seen.sum.push(sum),
  );
  return { store, seen };
}

test('a subscription renders now and when its values change', () => {
  const { store, seen } = watched();
  store.set({ b: 5 });
  store.set({ a: 4, b: 2 });
  store.set({ a: 4 });
  assert.deepEqual(seen, { a: [1, 4], sum: [3, 6] });
});

test('a batch renders once, after all of its changes', () => {
  const { store, seen } = watched();
  store.batch(() => {
    store.set({ a: 7 });
    store.set({ a: 2, b: 1 });
  });
  assert.deepEqual(seen, { a: [1, 2], sum: [3] });
});

test('what a subscription sets is rendered, too', () => {
  const { store, seen } = watched();
  const end = store.subscribe(
    ({ a }) => [a],
    (a) => store.set({ b: 10 * a }),
  );
  assert.equal(store.state.b, 10);
  store.set({ a: 3 });
  assert.deepEqual(seen, { a: [1, 3], sum: [3, 11, 13, 33] });
  end();
  store.set({ a: 4 });
  assert.equal(store.state.b, 30);
});

test('an error in one subscription does not stop the others', () => {
  const errors = [];
  const { store, seen } = watched((error) => errors.push(error.message));
  store.subscribe(
    ({ b }) => [b],
    (b) => {
      if (b === 0) throw new Error('no');
    },
  );
  const sums = [];
  store.subscribe(
    ({ b }) => [b],
    (b) => sums.push(b),
  );
  store.set({ b: 0 });
  assert.deepEqual(
    [sums, seen.sum],
    [
      [2, 0],
      [3, 1],
    ],
  );
  assert.deepEqual(errors, ['no']);
});
