import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { onlyLimit } from '../../atomizer/ui/static/panels/presets.js';
import { TOOLS } from '../../atomizer/ui/static/tools/registry.js';

const STATIC = new URL('../../atomizer/ui/static/', import.meta.url);
const text = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8');
const [tool, preset] = [...text.matchAll(/```js\n([^`]*)```/g)].map(([, code]) => code);

test('the tool of CONTRIBUTING draws a region', async () => {
  const code = tool.replace("'./tool.js'", "'" + new URL('tools/tool.js', STATIC) + "'");
  const { column } = await import('data:text/javascript,' + encodeURIComponent(code));
  const points = [3, 1, 2].map((t) => ({ t, lane: { channel: null } }));
  const region = { kind: 'rect', op: 'add', t: [2, 3] };
  assert.deepEqual(column.toRegion(points, {}, { op: 'add' }), region);
  assert.equal(column.toRegion([points[0]], {}, { op: 'add' }), null);
  for (const { id, key } of TOOLS) assert.ok(id !== column.id && key !== column.key);
  for (const name of ['label', 'title', 'help', 'icon', 'cursor']) assert.ok(column[name], name);
});

test('the preset of CONTRIBUTING knows its items', () => {
  const { band } = new Function('onlyLimit', 'return {' + preset + '}')(onlyLimit);
  assert.deepEqual(band.valuesOf(band.item(band.values)), band.values);
  assert.equal(band.valuesOf({ kind: 'rect', f: [1, null] }), null);
  assert.deepEqual([band.problem([1, 2], 1), !!band.problem([2, 1], 1)], ['', true]);
});
