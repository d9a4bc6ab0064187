import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  moveExcerpt,
  waveformPath,
  resizeExcerpt,
  MIN_SECONDS,
  stepExcerpt,
} from '../../atomizer/ui/static/panels/excerpt.js';
import { dice } from './help.mjs';

const file = { duration: 100, longest: 30 };

test('an excerpt moves inside its file and keeps its length', () => {
  assert.deepEqual(moveExcerpt({ start: 10, seconds: 20 }, 50, file), { start: 50, seconds: 20 });
  assert.deepEqual(moveExcerpt({ start: 10, seconds: 20 }, -5, file), { start: 0, seconds: 20 });
  assert.deepEqual(moveExcerpt({ start: 10, seconds: 20 }, 95, file), { start: 80, seconds: 20 });
});

test('an edge moves alone, within the shortest and longest length', () => {
  assert.deepEqual(resizeExcerpt({ start: 10, seconds: 20 }, 'end', 35, file), {
    start: 10,
    seconds: 25,
  });
  assert.deepEqual(resizeExcerpt({ start: 10, seconds: 20 }, 'end', 90, file), {
    start: 10,
    seconds: 30,
  });
  assert.deepEqual(resizeExcerpt({ start: 90, seconds: 5 }, 'end', 200, file), {
    start: 90,
    seconds: 10,
  });
  assert.deepEqual(resizeExcerpt({ start: 10, seconds: 20 }, 'end', 0, file), {
    start: 10,
    seconds: MIN_SECONDS,
  });
  assert.deepEqual(resizeExcerpt({ start: 10, seconds: 20 }, 'start', 5, file), {
    start: 5,
    seconds: 25,
  });
  assert.deepEqual(resizeExcerpt({ start: 50, seconds: 20 }, 'start', 0, file), {
    start: 40,
    seconds: 30,
  });
  assert.deepEqual(resizeExcerpt({ start: 10, seconds: 20 }, 'start', 99, file), {
    start: 30 - MIN_SECONDS,
    seconds: MIN_SECONDS,
  });
});

test('any sequence of keys keeps the excerpt within its limits', () => {
  const roll = dice(7),
    keys = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];
  let excerpt = { start: 0, seconds: 30 };
  for (let k = 0; k < 2000; k++) {
    excerpt = stepExcerpt(
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
      excerpt.seconds >= MIN_SECONDS - 1e-9 && excerpt.seconds <= file.longest + 1e-9,
      JSON.stringify(excerpt),
    );
  }
  assert.equal(stepExcerpt(excerpt, 'window', { key: 'x' }, file), undefined);
});

test('arrows step by a second, with shift by ten', () => {
  assert.equal(
    stepExcerpt({ start: 10, seconds: 20 }, 'window', { key: 'ArrowRight' }, file).start,
    11,
  );
  assert.equal(
    stepExcerpt({ start: 10, seconds: 20 }, 'window', { key: 'ArrowLeft', shiftKey: true }, file)
      .start,
    0,
  );
  assert.deepEqual(stepExcerpt({ start: 10, seconds: 20 }, 'end', { key: 'ArrowRight' }, file), {
    start: 10,
    seconds: 21,
  });
});

test('the waveform is as high as its peaks', () => {
  assert.equal(waveformPath(Uint8Array.from([255, 51])), 'M0,-1L1,-0.2L1,0.2L0,1Z');
});
