import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageEvents } from '../../atomizer/ui/static/view/events.js';

test('a chosen sound is announced, unless a reload restores it', () => {
  const said = [];
  const state = { restored: null };
  const events = new PageEvents({ state, showStatus: (text) => said.push(text) });
  const choose = (name, field) =>
    events.takeFile({ target: { files: [{ name }], closest: field } });
  choose('piano.wav', () => ({}));
  choose('reference.wav', () => null);
  state.restored = { name: 'piano.wav' };
  choose('piano.wav', () => ({}));
  assert.deepEqual(said, ['Loading piano.wav …']);
});
