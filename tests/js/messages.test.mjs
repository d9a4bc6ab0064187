import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axesOf } from '../../atomizer/ui/static/plot/atoms.js';
import { NEUTRAL } from '../../atomizer/ui/static/audio/shaping.js';
import { Messages } from '../../atomizer/ui/static/state/messages.js';
import { UndoHistory } from '../../atomizer/ui/static/state/history.js';
import { savedViewOf } from '../../atomizer/ui/static/state/saved_view.js';
import { SceneLoader } from '../../atomizer/ui/static/state/scene_loader.js';
import {
  baseOf,
  keyOf,
  lastShown,
  leftOut,
  shapeOfFill,
} from '../../atomizer/ui/static/state/selectors.js';
import { Store } from '../../atomizer/ui/static/state/store.js';
import { Variations } from '../../atomizer/ui/static/state/variations.js';
import { initialState } from '../../atomizer/ui/static/state/view_state.js';
import { Player } from '../../atomizer/ui/static/audio/player.js';
import { answers, packed, scene as plain, sound } from './help.mjs';

const atomsOf = (name) =>
  packed(name.split('').map((letter, k) => [k, k, letter.charCodeAt(0), 0, 0, 0]));
// a file of atoms is named after them, '.bits' hides the first one
const bytes = (url) => (url.endsWith('.bits') ? Uint8Array.of(1).buffer : atomsOf(url));
const sceneOf = (name, more = {}) => ({
  ...plain,
  id: name,
  sound: name,
  count: name.length,
  atoms: { url: name },
  ...more,
});
const resultOf = (id, atoms, scene) => ({
  id,
  scene,
  count: atoms.length,
  key: 'k' + id,
  hidden: { url: atoms + '.bits' },
  atoms: { url: atoms },
  masked: { url: atoms + '.masked' },
  sound: { url: atoms + '.wav' },
});

/** Messages of a minimal view with one sound, two variations A and B, and one, L, that is
 * longer. */
async function opened() {
  const files = answers(bytes),
    sounds = answers(sound),
    element = { hidden: false, style: {}, querySelector: () => ({}) };
  globalThis.fetch = async (url) => ({ ok: url !== 'gone', arrayBuffer: () => files.of(url) });
  const store = new Store(initialState());
  const { state } = store;
  const player = new Player(() => {});
  player.fetch = (url) => sounds.of(url);
  player.createBuffer = () => sound('change');
  const nothing = () => {},
    errors = [];
  const view = {
    store,
    state,
    player,
    errors,
    ended: [],
    get items() {
      return state.items;
    },
    props: {},
    find: () => element,
    root: { dataset: {}, classList: { toggle: nothing } },
    picture: {
      t: [0, 10],
      u: [0, 1],
      show: async (scene) => {
        view.picture.axes = axesOf(scene);
        Object.assign(view.picture, { t: [0, 10], u: [0, 1] });
      },
      unit: (hertz) => hertz / 1000,
      hertz: (unit) => unit * 1000,
      setRange: (t, u) => Object.assign(view.picture, { t, u }),
    },
    orders: { show: nothing },
    maskedPreview: { clear: nothing, update: nothing },
    history: new UndoHistory({ items: [], shapes: new Map() }, ({ value }) => store.set(value)),
    persistence: { saveSelection: nothing, saveSession: nothing, saveSound: async () => {} },
    editor: { notify: () => view.trigger('selected') },
    events: { followFeatures() {} },
    display: {},
    playback: {
      chooseVersion: (version) => {
        store.set({ version });
        player.choose(version);
      },
      goToFill: nothing,
      refillEnded: (variation) => view.ended.push(variation?.id),
    },
    statusUntil: 0,
    releaseStatus: () => {
      view.statusUntil = 0;
    },
    demo: { start: () => player.start() },
    showError: (text) => errors.push(text),
    showStatus: (status) => store.set({ status }),
  };
  view.attempt = (work) => work.catch((error) => errors.push(error.message));
  for (const [part, names] of [
    [view, ['inspect']],
    [view.editor, ['markAtoms', 'showSelection']],
    [view.display, ['repaint', 'reveal', 'setColour']],
  ])
    for (const name of names) part[name] = nothing;
  const messages = new Messages(view);
  view.loader = new SceneLoader(view);
  view.variations = new Variations(view);
  const scene = sceneOf('pqr');
  const variations = [
    resultOf(1, 'AA', scene),
    resultOf(2, 'BB', scene),
    resultOf(3, 'LL', sceneOf('pqrs')),
  ];
  const message = {
    number: 1,
    layers: [],
    scene,
    original: { url: 'pqr.wav' },
    variations,
    current: 1,
    live: null,
    busy: false,
    before: null,
    note: '',
    status: '',
  };
  const receive = (changes) => {
    Object.assign(message, { number: message.number + 1 }, changes);
    view.props.value = { ...message };
    return messages.receive();
  };
  await receive({});
  assert.deepEqual(seen(view), { atoms: 'AAqr', scene: 'pqr', heard: 'AA.wav', version: 'filled' });
  return { view, messages, choice: view.variations, files, sounds, receive };
}

/** What is in the picture, and what is heard. */
const seen = ({ state, player }) => ({
  atoms: String.fromCharCode(...(state.shown || state.original).velocity),
  scene: state.scene.id,
  heard: (player.buffers.filled || player.buffers.original).url,
  version: state.version,
});
const settled = () => new Promise((done) => setTimeout(done));
const B = { atoms: 'BBqr', scene: 'pqr', heard: 'BB.wav', version: 'filled' };

for (const late of ['LL', 'LL.bits', 'pqrs', 'LL.wav', 'LL.masked']) {
  test('the later of two choices counts, however late is ' + late, async () => {
    const { view, choice, files, sounds } = await opened(),
      source = /wav|masked/.test(late) ? sounds : files;
    source.hold(late);
    const first = choice.choose(3);
    await settled();
    assert.equal(await choice.choose(2), true);
    assert.deepEqual(seen(view), B);
    source.release(late);
    assert.equal(await first, false);
    assert.deepEqual(
      [seen(view), view.state.variation.id, view.player.urls.masked],
      [B, 2, 'BB.masked'],
    );
    await choice.choose(3); // nothing of it is taken to be there already
    assert.deepEqual(seen(view), {
      atoms: 'LLqrs',
      scene: 'pqrs',
      heard: 'LL.wav',
      version: 'filled',
    });
  });
}

test('a late variation does not replace the chosen original', async () => {
  const { view, choice, files } = await opened();
  files.hold('BB');
  const first = choice.choose(2);
  await choice.choose(null, 'original');
  files.release('BB');
  await first;
  assert.deepEqual(seen(view), {
    atoms: 'pqr',
    scene: 'pqr',
    heard: 'pqr.wav',
    version: 'original',
  });
});

for (const [what, sound] of [
  ['a new sound', 'xyz'],
  ['other atoms', 'pqr'],
]) {
  test('a late old variation does not replace ' + what, async () => {
    const { view, choice, messages, files, receive } = await opened();
    for (const name of ['LL', 'xyz']) files.hold(name);
    const first = choice.choose(3),
      message = receive({
        scene: sceneOf('xyz', { sound }),
        original: { url: sound + '.wav' },
        current: null,
      });
    await settled();
    files.release('LL');
    assert.equal(await first, false);
    assert.deepEqual([view.state.variation, view.player.urls.filled], [null, 'AA.wav']);
    files.release('xyz');
    await message;
    assert.deepEqual(seen(view), {
      atoms: 'xyz',
      scene: 'xyz',
      heard: sound + '.wav',
      version: 'original',
    });
    assert.deepEqual([view.state.variation, view.state.live, view.errors], [null, null, []]);
  });
}

test('old variations are not shown while a new sound loads', async () => {
  const { view, choice, messages, files, receive } = await opened();
  files.hold('xyz');
  const message = receive({
    scene: sceneOf('xyz'),
    original: { url: 'xyz.wav' },
    variations: [],
    current: null,
  });
  await settled();
  const late = choice.choose(2);
  await settled();
  assert.notEqual(view.player.urls.filled, 'BB.wav');
  files.release('xyz');
  await Promise.all([message, late]);
  assert.deepEqual(seen(view), {
    atoms: 'xyz',
    scene: 'xyz',
    heard: 'xyz.wav',
    version: 'original',
  });
});

test('every sound has shapes of its own, which a session file brings', async () => {
  const { view, receive } = await opened();
  const [quiet, saved] = [-6, -3].map((level) => ({ ...NEUTRAL, level_db: level }));
  const change = (shape) =>
    view.history.push({ ...view.history.value, shapes: new Map([[1, shape]]) });
  const shown = () => shapeOfFill(view.state, 1);
  change(quiet);
  view.player.offset = 0.05;
  view.picture.setRange([2, 3], [0.5, 1]);
  await view.variations.choose(2, 'masked');
  const scene = sceneOf('xyz');
  const original = { url: 'xyz.wav' };
  const proposal = { id: 'p', regions: [{ kind: 'rect', op: 'add', t: [1, 2] }], specs: [] };
  const variations = [{ ...resultOf(1, 'AA', scene), key: 'p', proposal, shape: saved }];
  await receive({ scene, original, variations });
  assert.deepEqual(shown(), saved);
  const key = view.state.selectionAliases.get('p');
  assert.deepEqual(JSON.parse(key), [proposal.regions, []]);
  change(NEUTRAL);
  await receive({});
  assert.deepEqual(shown(), NEUTRAL, 'it was changed since');
  assert.deepEqual([view.player.offset, view.picture.t], [0, [0, 10]]);
  await receive({
    scene: sceneOf('pqr'),
    original: { url: 'pqr.wav' },
    variations: [1, 2].map((id) => resultOf(id, id === 1 ? 'AA' : 'BB', sceneOf('pqr'))),
    current: 1,
  });
  assert.deepEqual(shown(), quiet);
  const { state, player, picture } = view;
  assert.deepEqual(
    [state.variation.id, state.version, player.offset, picture.t, picture.u],
    [2, 'masked', 0.05, [2, 3], [0.5, 1]],
    'what was shown and heard is back',
  );
});

test('after a reload an example has the selection that was drawn since', async () => {
  const { view, receive } = await opened();
  const region = (start) => ({ kind: 'rect', op: 'add', t: [start, start + 1] });
  const proposal = { id: 'p', regions: [region(1)], specs: [], features: ['sign'] };
  const message = { original: { url: 'xyz.wav' }, variations: [], proposal, example: 'phone' };
  for (const [items, features] of [
    [[region(5)], null],
    [[region(1)], ['sign']],
    [[], null],
  ]) {
    const scene = sceneOf('xyz', { id: 'xyz' + items.length + features });
    view.store.set({ proposalId: null, base: null });
    view.state.savedViews.set('xyz', {
      ...savedViewOf(view),
      ...{ items, shownId: null, shapes: new Map() },
    });
    await receive({ ...message, scene });
    assert.deepEqual([view.items, view.state.exampleFeatures], [items, features]);
  }
});

test('what the next fill does not start from', () => {
  const regions = [{ kind: 'rect', op: 'add', f: [8000, null] }];
  const box = [{ kind: 'rect', op: 'add', t: [1, 2], f: [3, 4] }];
  const key = (items) => JSON.stringify([items, []]);
  const [A, B] = [
    { id: 1, label: 'A', key: key(box) },
    { id: 2, label: 'B', key: key(regions) },
  ];
  const highs = { text: '', action: '', regions, fills: true };
  const base = { ...initialState(), variations: [A, B] };
  const names = (changes) =>
    leftOut({ ...base, ...changes })
      .map(({ label }) => label)
      .join('');
  const other = [{ kind: 'rect', op: 'add', t: [5, 6], f: [3, 4] }];
  assert.deepEqual(
    [{}, { items: other }, { items: box }, { items: other, busy: true }].map(names),
    ['', 'AB', '', ''],
  );
  assert.equal(names({ items: box, findings: [highs] }), 'A', 'B fills what was found');
  assert.equal(names({ findings: [{ ...highs, fills: false }] }), '');
  const example = { example: 'phone', proposalId: key(box), items: box, findings: [highs] };
  assert.deepEqual([example, { ...example, example: '' }].map(names), ['', 'A']);
  assert.equal(lastShown({ ...base, lastChosenId: 1 }, [A, B]), A);
  assert.equal(lastShown({ ...base, lastChosenId: 9 }, [A, B]), B);
  assert.equal(baseOf({ layers: [] }, [A]), 'the original, without A');
  const C = { label: 'C' };
  assert.equal(baseOf({ layers: ['x'] }, [A, B, C]), 'the last kept fill, without A, B and C');
});

test('the answer to another source is its fill, or a refusal', async () => {
  const { view, receive } = await opened();
  const { variations } = view.state;
  view.ended.length = 0;
  const live = { ...resultOf(4, 'CC', sceneOf('pqr')), done: 1, total: 2 };
  await receive({ busy: true, live });
  await receive({ busy: false, live: null, variations: [...variations, live], current: 4 });
  await receive({ status: 'This source touches the hole.' });
  assert.deepEqual(view.ended, [4, undefined]);
});

test('during a fill a chosen variation is heard, and shown later', async () => {
  const { view, choice, messages, files, receive } = await opened();
  files.hold('BB');
  const first = choice.choose(2);
  await receive({ busy: true, live: { ...resultOf(4, 'CC', sceneOf('pqr')), done: 1, total: 2 } });
  files.release('BB');
  assert.equal(await first, true);
  assert.deepEqual(seen(view), { ...B, atoms: 'CCqr' });
  await receive({ busy: false, live: null });
  assert.deepEqual([seen(view), view.state.busy], [B, false]);
});

test('an example does not play if the user chose another variation', async () => {
  const { view, choice, messages, files, receive } = await opened(),
    done = resultOf(5, 'DD', sceneOf('pqr'));
  // both answer an example
  view.store.set({ proposalId: done.key });
  view.state.variations[1].key = done.key;
  files.hold('DD');
  const all = [...view.state.variations, done],
    message = receive({ variations: all, current: 5, status: 'There' });
  await settled();
  await choice.choose(2);
  files.release('DD');
  await message;
  assert.deepEqual(
    [seen(view), view.state.lastShownId, view.state.playedExampleId, view.errors],
    [B, 5, null, []],
  );
  assert.equal(messages.applying, false);
});

test('a held status is over when a fill begins', async () => {
  const { view, receive } = await opened();
  view.statusUntil = Infinity;
  await receive({ status: 'Ready' });
  assert.equal(view.state.status, '');
  const live = { ...resultOf(4, 'CC', sceneOf('pqr')), done: 1, total: 2 };
  await receive({ busy: true, live, status: 'Step 1' });
  await receive({ busy: false, live: null, status: 'Stopped' });
  assert.equal(view.state.status, 'Stopped');
});

test('another selection shows the original, also after messages', async () => {
  const { view, choice, receive } = await opened();
  view.state.selectionAliases.set('k1', keyOf([]));
  await choice.followSelection();
  assert.equal(view.state.variation.id, 1); // it answers the selection
  view.state.selectionAliases.clear();
  const original = { atoms: 'pqr', scene: 'pqr', heard: 'pqr.wav', version: 'original' };
  await choice.followSelection();
  assert.deepEqual(
    [seen(view), view.state.variation, view.player.urls],
    [original, null, { original: 'pqr.wav' }],
  );
  await receive({ status: 'Ready to fill in' });
  assert.deepEqual([seen(view), view.state.variation], [original, null]);
  await receive({ busy: true, live: { ...resultOf(4, 'CC', sceneOf('pqr')), done: 1, total: 2 } });
  await receive({ busy: false, live: null }); // stopped before anything was kept
  assert.deepEqual([seen(view), view.state.variation], [original, null]);
  await choice.choose(2, 'filled');
  assert.deepEqual(seen(view), B);
  await choice.followSelection();
  await receive({
    variations: [...view.state.variations, resultOf(5, 'DD', sceneOf('pqr'))],
    current: 5,
  });
  assert.deepEqual(
    [seen(view), view.state.variation.id],
    [{ ...B, atoms: 'DDqr', heard: 'DD.wav' }, 5],
  );
});

test('redoing a selection shows its variation again', async () => {
  const { view, choice } = await opened();
  const item = { kind: 'rect', op: 'add', t: [1, 2] };
  view.store.set({ items: [item] });
  view.state.variations[1].key = keyOf(view.items);
  await choice.followSelection();
  assert.equal(view.state.variation, null);
  await choice.followSelection(); // a new drawing is to be filled in
  assert.equal(view.state.variation, null);
  await choice.followSelection(true);
  assert.deepEqual([seen(view), view.state.variation.id], [B, 2]);
  view.store.set({ items: [] });
  await choice.followSelection(true); // nothing is selected, which no fill answers
  assert.equal(view.state.variation, null);
});

test('an old message after the end of a fill is ignored', async () => {
  const { view, files, receive } = await opened(),
    fill = { busy: true, live: { ...resultOf(4, 'CC', sceneOf('pqr')), done: 1, total: 2 } };
  files.hold('CC');
  const step = receive({ ...fill, number: 10 });
  await settled();
  await receive({ busy: false, live: null, number: 12 });
  await receive({ ...fill, number: 11 });
  files.release('CC');
  await step;
  assert.deepEqual(
    [view.state.busy, view.state.messageNumber, seen(view).atoms],
    [false, 12, 'AAqr'],
  );
});

test('a page reloads if its session expired', async () => {
  const { view, messages } = await opened(),
    reloads = [];
  globalThis.location = { reload: () => reloads.push(view.state.base) };
  for (const base of [view.state.base, null]) {
    view.store.set({ base });
    view.props.value = { number: view.state.messageNumber + 1, variations: [] };
    await messages.receive();
  }
  assert.equal(reloads.length, 1);
  assert.deepEqual([messages.applying, view.errors], [false, []]);
});

test('a missing file shows an error; the next message is applied', async () => {
  const { view, messages, receive } = await opened(),
    gone = { ...resultOf(6, 'EE', sceneOf('pqr')), atoms: { url: 'gone' } };
  await receive({ variations: [...view.state.variations, gone], current: 6 });
  assert.equal(view.errors.length, 1);
  assert.match(view.errors[0], /Reload the page/);
  await receive({ variations: view.state.variations.slice(0, 2), current: 2 });
  assert.deepEqual([seen(view), messages.applying], [B, false]);
});

test('selected parts are requested again for other atoms', async () => {
  const { view, receive } = await opened(),
    asked = [];
  view.trigger = (what) => asked.push(what);
  view.store.set({ items: [{ part: 'random:50' }] });
  await receive({ status: 'the same' });
  await receive({
    scene: sceneOf('xyz', { sound: 'pqr' }),
    original: { url: 'xyz.wav' },
    variations: [],
    current: null,
  });
  await receive({
    scene: sceneOf('uvw', { sound: 'pqr' }),
    original: { url: 'uvw.wav' },
    parts: { key: 'k', bits: { url: 'uvw.bits' } },
  });
  assert.deepEqual(asked, ['selected']);
});

test('a box that was drawn while a sound loads does not leave its status', async () => {
  for (const [drawn, asked] of [
    [[], []],
    [[{ kind: 'rect', op: 'add', t: [1, 2] }], ['selected']],
  ]) {
    const { view, receive } = await opened();
    const triggered = [];
    view.trigger = (what) => triggered.push(what);
    view.store.set({ items: [], notifiedKey: keyOf(drawn) });
    await receive({
      scene: sceneOf('xyz', { sound: 'pqr' }),
      original: { url: 'xyz.wav' },
      variations: [],
      current: null,
    });
    assert.deepEqual(triggered, asked, 'Python says again that nothing is selected');
  }
});

test('what the status says of the selection is so already', async () => {
  const { view, receive } = await opened();
  const said = [];
  view.editor.change = (items) => view.store.set({ items });
  view.showStatus = (status) => said.push(`${status}, ${view.items.length} selected`);
  view.holdStatus = view.showError = view.showStatus;
  const regions = [{ kind: 'rect', op: 'add', t: [1, 2] }];
  await receive({ loaded: { id: 'f', regions, specs: ['x'] }, status: 'f is loaded' });
  assert.deepEqual(new Set(said), new Set(['f is loaded, 2 selected']));
  said.length = 0;
  await receive({ refused: 'x', status: 'x is refused' });
  assert.deepEqual(new Set(said), new Set(['x is refused, 1 selected']));
});
