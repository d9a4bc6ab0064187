import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { PageEvents } from '../../atomizer/ui/static/view/events.js';

/** A page whose field for files goes while Gradio uploads, and comes back. */
function makePage(state = {}) {
  const page = { observers: [], isThere: true, said: [], state: { restored: null, ...state } };
  page.showStatus = (text) => {
    page.state.status = text;
    page.said.push(text);
  };
  page.showError = page.showStatus;
  page.isHeld = true;
  page.releaseStatus = () => (page.isHeld = false);
  page.messages = { applying: false };
  page.setField = (isThere) => {
    page.isThere = isThere;
    for (const observe of page.observers) observe();
  };
  globalThis.MutationObserver = class {
    constructor(observe) {
      this.observer = observe;
    }
    observe = () => page.observers.push(this.observer);
    disconnect = () => page.observers.splice(page.observers.indexOf(this.observer), 1);
  };
  globalThis.document = {
    getElementById: () => ({}),
    querySelector: () => (page.isThere ? {} : null),
  };
  const events = new PageEvents(page);
  page.choose = (name, field = () => ({})) =>
    events.takeFile({ target: { files: [{ name }], closest: field } });
  return page;
}

/** Let Gradio take a file, or give up.
 * @param {ReturnType<typeof makePage>} page */
async function upload(page) {
  page.setField(false);
  page.setField(true);
  for (let k = 0; k < 3; k++) {
    mock.timers.tick(600);
    await new Promise(setImmediate);
  }
}

test.beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
test.afterEach(() => mock.timers.reset());

test('a chosen sound is announced, unless a reload restores it', () => {
  const page = makePage();
  page.choose('piano.wav');
  page.choose('reference.wav', () => null);
  page.state.restored = { name: 'piano.wav' };
  page.choose('piano.wav');
  assert.deepEqual(page.said, ['Loading piano.wav …']);
});

test('a sound that was not loaded is named, with the one that stays', async () => {
  const page = makePage({ scene: { name: 'band.flac' } });
  page.choose('long.wav');
  await upload(page);
  assert.deepEqual(page.said, ['Loading long.wav …', 'long.wav was not loaded: band.flac stays.']);
  assert.deepEqual(page.observers, []);
});

test('a sound that is there without a word of Python was loaded', async () => {
  const page = makePage({ base: { id: 'a' }, scene: { name: 'band.flac' } });
  page.choose('piano.wav');
  page.state.base = { id: 'b' };
  await upload(page);
  assert.deepEqual(page.said, ['Loading piano.wav …']);
});

test('what Python says of an uploaded sound stays', async () => {
  const page = makePage();
  page.choose('broken.wav');
  assert.ok(!page.isHeld, 'the page shows it, also after another error');
  page.setField(false);
  page.messages.applying = true;
  await upload(page);
  assert.equal(page.said.length, 1, 'a message that is being shown is awaited');
  page.showStatus("Can't read broken.wav as sound.");
  page.messages.applying = false;
  mock.timers.tick(600);
  await new Promise(setImmediate);
  assert.equal(page.said.at(-1), "Can't read broken.wav as sound.");
});
