import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  PRESETS,
  presetItem,
  presetOf,
  sliderOf,
} from '../../atomizer/ui/static/panels/presets.js';

test('every preset is recognised in what it makes', () => {
  for (const [name, { values }] of Object.entries(PRESETS))
    assert.deepEqual(presetOf(presetItem(name, values, 2)), { name, values });
});

test('invalid values are refused in a sentence', () => {
  for (const [name, values] of [
    ['above', [NaN]],
    ['time', [3, 2]],
    ['channel', [2]],
    ['channel', [0.5]],
    ['random', [101]],
    ['after', [-1]],
    ['beats', [3, 2]],
    ['beats', [1, 1]],
  ]) {
    assert.throws(() => presetItem(name, values, 2), /\.$/);
  }
  assert.equal(presetItem('keep', [5000], 2).part, 'keep:5000');
  assert.equal(presetItem('beats', [1, 4], 2).part, 'beats:4,1');
});

test('drawn regions are not presets', () => {
  assert.equal(presetOf({ kind: 'rect', op: 'add', t: [1, 2], f: [3, 4] }), null);
  assert.equal(presetOf({ kind: 'rect', op: 'subtract', f: [3, null] }), null);
  assert.equal(presetOf({ kind: 'lasso', op: 'add', points: [] }), null);
});

test('sliders agree with their values', () => {
  for (const name of Object.keys(PRESETS).filter((key) => PRESETS[key].slider)) {
    const { toSlider, fromSlider } = sliderOf(name, 12);
    for (const at of [0, 250, 500, 1000])
      assert.ok(Math.abs(toSlider(fromSlider(at)) - at) < 8, name);
  }
});
