import assert from 'node:assert/strict';
import { test } from 'node:test';

import { arrowPath, drawnSources, labelShift } from '../../atomizer/ui/static/panels/sources.js';

const source = (from, to, confidence) => ({ source: [from, to], target: [4, 5], confidence });

test('the best sources are drawn, without those that overlap them', () => {
  const best = source(1, 2, 0.5);
  const drawn = drawnSources([
    best,
    source(1.5, 2.5, 0.4),
    source(7, 8, 0.3),
    source(10, 11, 0.04),
  ]);
  assert.deepEqual(drawn, [best, source(7, 8, 0.3)]);
  assert.equal(drawnSources([1, 3, 5, 7].map((t) => source(t, t + 1, 0.2))).length, 3);
  assert.deepEqual(drawnSources([]), []);
});

test('an arrow ends at the hole, its head pointing there', () => {
  assert.match(arrowPath(10, 200, 50), /^M10 50Q105 16 200 50M191 44L200 50L191 56$/);
  assert.match(arrowPath(200, 10, 50), /M19 44L10 50L19 56$/);
});

test('a label stays in sight beside its span', () => {
  assert.equal(labelShift([200, 240], 120, 500), 0);
  assert.equal(labelShift([10, 30], 120, 500), 40);
  assert.equal(labelShift([480, 500], 120, 500), -50);
  assert.equal(labelShift([-90, -40], 120, 500), 0);
});
