import assert from 'node:assert/strict';
import { test } from 'node:test';

import { showReference } from '../../atomizer/ui/static/panels/reference.js';
import { newDocument, newElement } from './dom.mjs';

/** The elements of the reference recording by their names. */
function opened() {
  const parts = ['choice', 'chosen', 'name', 'span'].map((name) => [name, newElement()]);
  const body = newDocument(
    Object.fromEntries(parts.map(([name, part]) => [`[data-reference=${name}]`, part])),
  );
  body.append(...parts.map(([, part]) => part));
  return Object.fromEntries(parts);
}

test('a menu that is open keeps its choices as sounds come', () => {
  const { choice, span } = opened();
  showReference({ name: '', sounds: [['a', 'piano.wav']] });
  const before = [...choice.children];
  assert.deepEqual(before.at(-1).textContent, 'piano.wav');
  choice.value = 'span';
  showReference({ name: '', sounds: [['a', 'piano.wav']] });
  showReference({ name: '', sounds: ['ab', 'cd'].map((id) => [id[0], 'piano.wav']) });
  assert.ok(before.every((option, k) => option === choice.children[k]));
  assert.deepEqual([choice.value, span.hidden], ['span', false], 'its fields stay, too');
});

test('a chosen reference takes the place of the menu', () => {
  const { choice, chosen, name, span } = opened();
  choice.value = 'span';
  showReference({ name: '0-2 s of piano.wav', sounds: [] });
  assert.deepEqual([choice.value, span.hidden, chosen.hidden], ['', true, false]);
  assert.equal(name.textContent, '0-2 s of piano.wav');
  showReference({ name: '', sounds: [] });
  assert.deepEqual([span.hidden, chosen.hidden], [true, true]);
});
