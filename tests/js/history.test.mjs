import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UndoHistory } from '../../atomizer/ui/static/state/history.js';

test('undo and redo step back and forth; a new value clears redo', () => {
  const history = new UndoHistory('a');
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
  const history = new UndoHistory(0);
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

test('after a reset, a change with the old key is a new step', () => {
  const history = new UndoHistory(0);
  history.push(1, 'slider');
  history.reset(5);
  history.push(6, 'slider');
  assert.equal(history.undo(), true);
  assert.equal(history.value, 5);
});
