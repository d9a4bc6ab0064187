import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SCALES, ticks } from '../../atomizer/ui/static/plot/scales.js';

test('every scale is undone by its inverse and rises', () => {
  for (const { unit, hertz } of Object.values(SCALES)) {
    let last = -Infinity;
    for (const f of [30, 100, 440, 1000, 8000, 22050]) {
      assert.ok(Math.abs(hertz(unit(f)) - f) < 1e-6 * f);
      assert.ok(unit(f) > last);
      last = unit(f);
    }
  }
});

test('1000 mel are about 1000 Hz', () => assert.ok(Math.abs(SCALES.mel.unit(1000) - 1000) < 1));

test('ticks lie within what is seen and keep their distance', () => {
  for (const scale of Object.keys(SCALES)) {
    for (const [low, high, pixels] of [
      [30, 22050, 400],
      [200, 300, 400],
      [440, 441, 200],
      [0.5, 22050, 60],
    ]) {
      const { unit } = SCALES[scale],
        found = ticks(scale, low, high, pixels),
        place = (f) => ((unit(f) - unit(low)) / (unit(high) - unit(low))) * pixels;
      assert.ok(found.length >= 1, scale + ' ' + low);
      found.forEach(({ hertz }, k) => {
        assert.ok(hertz >= low - 1e-9 && hertz <= high * 1.001);
        if (k) assert.ok(place(hertz) - place(found[k - 1].hertz) >= 25.9);
      });
      assert.equal(new Set(found.map((mark) => mark.text)).size, found.length);
    }
  }
});
