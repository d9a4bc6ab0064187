import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as format from '../../atomizer/ui/static/util/format.js';

test('notes have names, and cents where they are off', () => {
  assert.equal(format.note(440), 'A4');
  assert.equal(format.note(261.63), 'C4');
  assert.equal(format.note(27.5), 'A0');
  assert.equal(format.note(440 * 2 ** (30 / 1200)), 'A4 +30');
  assert.equal(format.note(440 * 2 ** (-40 / 1200)), 'A4 −40');
});

test('channels have names, those of a widened sound their own', () => {
  assert.deepEqual(format.channelNames({ channels: 2 }), ['left', 'right']);
  const widened = { channels: 2, channel_names: ['mid', 'side'] };
  assert.deepEqual(format.channelNames(widened), ['mid', 'side']);
});

test('numbers are formatted for people', () => {
  assert.equal(format.hertz(432.1), '432 Hz');
  assert.equal(format.hertz(2540), '2.54 kHz');
  assert.equal(format.clock(75.25), '1:15.3');
  assert.deepEqual([59.96, 719.97].map(format.clock), ['1:00.0', '12:00.0']);
  assert.equal(format.percent(0.0001), 'less than 0.1 %');
  assert.equal(format.percent(0), '0 %');
  assert.equal(format.percent(0.1234), '12.3 %');
  assert.equal(format.percent(1), '100 %');
  assert.equal(format.decibels(-12.4), '−12 dB');
  assert.equal(format.count(200000), '200,000');
  assert.deepEqual([12, 345678, 2340000, 33200000, 123456789].map(format.bytes), [
    '1 kB',
    '346 kB',
    '2.3 MB',
    '33 MB',
    '120 MB',
  ]);
  assert.deepEqual(
    [1.2, 9.4, 9.6, 23, 58, 130, 0].map((t) => format.about([t, t])),
    ['about 1 s', 'about 9 s', 'about 10 s', 'about 25 s', 'about 1 min', 'about 2 min', ''],
  );
  assert.equal(format.about([0.3, 4]), '1 to 4 s');
  assert.equal(format.about([6.2, 14]), '6 to 15 s');
  assert.equal(format.about([14.1, 14.9]), 'about 15 s');
  assert.equal(format.about([25, 130]), '25 s to 2 min');
  assert.equal(format.span([1, 2.5], format.seconds), '1–2.5 s');
});
