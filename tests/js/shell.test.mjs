// Buttons of the page beside the component.

import assert from 'node:assert/strict';
import test from 'node:test';

import { showFillButton } from '../../atomizer/ui/static/panels/shell.js';

/** What Fill in says, and whether Stop can be pressed, by a state of the page. */
function shown(changes) {
  const button = { dataset: {}, style: { setProperty() {} } };
  globalThis.document = {
    body: { dataset: {} },
    querySelector: (selector) => (selector === '#fill' ? button : null),
  };
  const rest = { busy: false, pursues: false, live: null, isQueued: false, ahead: 0 };
  showFillButton({ ...rest, pending: false, expected: '', ...changes });
  const { busy, filling } = document.body.dataset;
  return { says: button.dataset.progress ?? button.dataset.expected ?? '', busy, filling };
}

test('Fill in shows the progress of fills alone', () => {
  const expected = 'about 5 s';
  assert.deepEqual(shown({ expected }), { says: expected, busy: 'false', filling: 'false' });
  assert.deepEqual(shown({ expected, isQueued: true }).says, '…');
  const live = { done: 2, total: 5 };
  assert.deepEqual(shown({ busy: true, live }), { says: '40 %', busy: 'true', filling: 'true' });
  // a pursuit can be stopped, but nothing is being filled in
  assert.deepEqual(shown({ busy: true, pursues: true, expected }), {
    says: expected,
    busy: 'true',
    filling: 'false',
  });
});
