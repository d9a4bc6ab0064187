import assert from 'node:assert/strict';
import { test } from 'node:test';

import { History } from '../../atomizer/ui/static/state/history.js';

test('undo and redo walk back and forth, and a new value forgets what was taken back', () => {
  const history = new History('a');
  history.push('b');
  history.push('c');
  assert.equal(history.undo(), true);
  assert.equal(history.value, 'b');
  history.redo();
  assert.equal(history.value, 'c');
  history.undo();
  history.push('d');
  assert.equal(history.redo(), false);
  history.undo();
  history.undo();
  assert.equal(history.value, 'a');
  assert.equal(history.undo(), false);
});

test('changes that share a key share a step', () => {
  const history = new History(0);
  for (const value of [1, 2, 3]) history.push(value, 'slider');
  history.push(4);
  history.undo();
  assert.equal(history.value, 3);
  history.undo();
  assert.equal(history.value, 0);
  history.redo();
  history.push(5, 'slider');
  history.undo();
  assert.equal(history.value, 3);
});

test('a value from elsewhere begins anew: a change with the key of the one before has a step of its own', () => {
  const history = new History(0);
  history.push(1, 'slider');
  history.reset(5);
  history.push(6, 'slider');
  assert.equal(history.undo(), true);
  assert.equal(history.value, 5);
});
