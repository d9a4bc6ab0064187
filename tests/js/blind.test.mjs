import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chanceOf, scoreOf, Trials, trimOf } from '../../atomizer/ui/static/panels/blind.js';
import { dice } from './help.mjs';

test('the chance of a score is the tail of the binomial distribution', () => {
  assert.equal(chanceOf(0, 10), 1);
  assert.equal(chanceOf(10, 10), 1 / 1024);
  assert.equal(chanceOf(5, 5) * 32, 1);
  assert.ok(Math.abs(chanceOf(9, 12) - 299 / 4096) < 1e-12);
  assert.match(scoreOf(9, 12), /^9 of 12 right; guessing does as well in 7.3 % of cases$/);
});

test('guessing is right half of the time, and X is either', () => {
  const roll = dice(3);
  const random = () => roll(1000) / 1000;
  const trials = new Trials(random);
  const seen = new Set();
  for (let k = 0; k < 400; k++) seen.add(trials.answer(random() < 0.5 ? 'a' : 'b'));
  assert.equal(seen.size, 2);
  assert.ok(trials.right > 160 && trials.right < 240 && trials.total === 400);
});

test('levels are matched within limits; silence is not', () => {
  assert.equal(trimOf(0.1, 0.2), 2);
  assert.equal(trimOf(0.1, 0.9), 4);
  assert.equal(trimOf(0, 0.2), 1);
});
