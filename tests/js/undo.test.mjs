import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NEUTRAL } from '../../atomizer/ui/static/audio/shaping.js';
import { disabledButtons } from '../../atomizer/ui/static/panels/buttons.js';
import { UndoHistory } from '../../atomizer/ui/static/state/history.js';
import { shapeOfFill } from '../../atomizer/ui/static/state/selectors.js';
import { SelectionEditor } from '../../atomizer/ui/static/view/editor.js';
import { newDocument } from './dom.mjs';

/** An editor of a page with fills 1 and 2, of which 1 is heard. */
function opened() {
  const variations = [
    { id: 1, label: 'A' },
    { id: 2, label: 'B', shape: { ...NEUTRAL, wet: 0.5 } },
  ];
  const state = { items: [], shapes: new Map(), heardId: 1, variations };
  Object.assign(state, { playable: [], clipboard: [] });
  const set = (changes) => Object.assign(state, changes);
  const view = {
    state,
    store: { set, batch: (change) => change() },
    history: new UndoHistory({ items: [], shapes: new Map(), refilled: null }, ({ value }) =>
      set(value),
    ),
    variations: { choose: async (id) => set({ heardId: id }) },
    attempt: (work) => work,
    releaseStatus() {},
    holdStatus() {},
  };
  const editor = new SelectionEditor(view);
  editor.selectionChanged = () => {};
  const levels = () => [1, 2].map((id) => shapeOfFill(state, id).level_db);
  const level = (level_db) => editor.shapeFill({ ...NEUTRAL, level_db }, 'level_db');
  return { editor, state, level, levels };
}

test('a slider that was moved is one step of undo and redo', () => {
  const { editor, level, levels, state } = opened();
  for (const value of [-1, -2, -3]) level(value);
  editor.change([{ kind: 'rect', op: 'add', t: [1, 2] }]);
  level(5);
  editor.step('undo');
  assert.deepEqual([levels()[0], state.items.length], [-3, 1]);
  editor.step('undo');
  assert.deepEqual([levels()[0], state.items.length], [-3, 0]);
  editor.step('undo');
  assert.deepEqual(levels(), [0, 0]);
  assert.ok(disabledButtons(state).resetShape, 'there is nothing to reset');
  editor.step('redo');
  assert.deepEqual(levels(), [-3, 0]);
  assert.ok(!disabledButtons(state).resetShape);
});

test('undo shows the fill that it changes, and passes those that are gone', () => {
  const { editor, level, levels, state } = opened();
  level(-3);
  state.heardId = 2;
  assert.equal(shapeOfFill(state, 2).wet, 0.5, 'as its session file says');
  level(4);
  editor.step('undo');
  assert.deepEqual([levels(), state.heardId], [[-3, 0], 2]);
  assert.equal(shapeOfFill(state, 2).wet, 0.5);
  editor.step('undo');
  assert.deepEqual([levels(), state.heardId], [[0, 0], 1]);
  editor.step('redo');
  editor.step('redo');
  state.variations.pop();
  editor.step('undo');
  assert.deepEqual([levels()[0], state.heardId], [0, 1]);
});

test('undo and redo step between fills from different sources', () => {
  const { editor, level, levels, state } = opened();
  level(-3);
  editor.replaceFill(1, 2);
  state.heardId = 2;
  editor.step('undo');
  assert.deepEqual([state.heardId, levels()[0]], [1, -3]);
  editor.step('redo');
  assert.equal(state.heardId, 2);
  editor.step('undo');
  editor.step('undo');
  assert.deepEqual([state.heardId, levels()[0]], [1, 0]);
});

test('what was found is selected at a click, and filled where it can be', () => {
  const { editor, state } = opened();
  const done = [];
  editor.view.showStatus = (text) => done.push(text);
  editor.view.trigger = (name, payload) => done.push([name, payload]);
  newDocument({ '#fill': { click: () => done.push('fill') } });
  const box = { kind: 'rect', op: 'add', t: [1, 1.01] };
  editor.takeFinding({ regions: [box, { ...box, t: [2, 2.01] }], fills: false });
  assert.deepEqual(state.items.map(({ t }) => t).flat(), [1, 1.01, 2, 2.01]);
  assert.deepEqual(done, []);
  editor.takeFinding({ regions: [{ kind: 'rect', op: 'add', f: [15655, null] }], fills: true });
  assert.deepEqual([state.items.length, done], [1, ['fill']]);
  editor.takeFinding({ regions: [], fills: false });
  assert.deepEqual(done.slice(1), ['Looking for clicks …', ['inspect', { thorough: true }]]);
  assert.equal(state.items.length, 1, 'a search keeps the selection');
});
