import assert from 'node:assert/strict';
import { test } from 'node:test';

import { numberIn } from '../../atomizer/ui/static/util/fields.js';

test('a number is within the bounds of its field, or its default', () => {
  const bounds = { defaultValue: '6', min: '1', max: '90' };
  const numberOf = (value) => numberIn({ ...bounds, value });
  assert.deepEqual(['2.5', '0', '-3', '400'].map(numberOf), [2.5, 1, 1, 90]);
  assert.deepEqual(['', ' ', '-', 'Infinity'].map(numberOf), [6, 6, 6, 6]);
});
