import assert from 'node:assert/strict';
import { test } from 'node:test';

import { moved, outline, resized, SHORTEST, stepped } from '../../atomizer/ui/static/panels/excerpt.js';
import { dice } from './help.mjs';

const file = { duration: 100, longest: 30 };

test('an excerpt moves inside its file and keeps its length', () => {
  assert.deepEqual(moved({ start: 10, seconds: 20 }, 50, file), { start: 50, seconds: 20 });
  assert.deepEqual(moved({ start: 10, seconds: 20 }, -5, file), { start: 0, seconds: 20 });
  assert.deepEqual(moved({ start: 10, seconds: 20 }, 95, file), { start: 80, seconds: 20 });
});

test('an edge moves alone, up to the longest excerpt and down to the shortest', () => {
  assert.deepEqual(resized({ start: 10, seconds: 20 }, 'end', 35, file), {
    start: 10,
    seconds: 25,
  });
  assert.deepEqual(resized({ start: 10, seconds: 20 }, 'end', 90, file), {
    start: 10,
    seconds: 30,
  });
  assert.deepEqual(resized({ start: 90, seconds: 5 }, 'end', 200, file), {
    start: 90,
    seconds: 10,
  });
  assert.deepEqual(resized({ start: 10, seconds: 20 }, 'end', 0, file), {
    start: 10,
    seconds: SHORTEST,
  });
  assert.deepEqual(resized({ start: 10, seconds: 20 }, 'start', 5, file), {
    start: 5,
    seconds: 25,
  });
  assert.deepEqual(resized({ start: 50, seconds: 20 }, 'start', 0, file), {
    start: 40,
    seconds: 30,
  });
  assert.deepEqual(resized({ start: 10, seconds: 20 }, 'start', 99, file), {
    start: 30 - SHORTEST,
    seconds: SHORTEST,
  });
});

test('whatever is pressed, the excerpt stays inside the file and its limits', () => {
  const roll = dice(7),
    keys = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];
  let excerpt = { start: 0, seconds: 30 };
  for (let k = 0; k < 2000; k++) {
    excerpt = stepped(
      excerpt,
      ['window', 'start', 'end'][roll(3)],
      { key: keys[roll(keys.length)], shiftKey: !roll(2) },
      file,
    );
    assert.ok(
      excerpt.start >= 0 && excerpt.start + excerpt.seconds <= file.duration + 1e-9,
      JSON.stringify(excerpt),
    );
    assert.ok(
      excerpt.seconds >= SHORTEST - 1e-9 && excerpt.seconds <= file.longest + 1e-9,
      JSON.stringify(excerpt),
    );
  }
  assert.equal(stepped(excerpt, 'window', { key: 'x' }, file), undefined);
});

test('arrows step by a second, with shift by ten', () => {
  assert.equal(
    stepped({ start: 10, seconds: 20 }, 'window', { key: 'ArrowRight' }, file).start,
    11,
  );
  assert.equal(
    stepped({ start: 10, seconds: 20 }, 'window', { key: 'ArrowLeft', shiftKey: true }, file).start,
    0,
  );
  assert.deepEqual(stepped({ start: 10, seconds: 20 }, 'end', { key: 'ArrowRight' }, file), {
    start: 10,
    seconds: 21,
  });
});

test('the outline is as high as the peaks, above and below', () => {
  assert.equal(outline(Uint8Array.from([255, 51])), 'M0,-1L1,-0.2L1,0.2L0,1Z');
});
