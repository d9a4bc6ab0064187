import assert from 'node:assert/strict';
import { test } from 'node:test';

import { unpackAtoms } from '../../atomizer/ui/static/plot/atoms.js';
import {
  EVERYTHING,
  fromPayload,
  GridSelection,
  invert,
  isRepeated,
  labelOf,
  hasSettings,
  parseSelectionFile,
  regionsOf,
  summarise,
  timeRangeOf,
  toFileText,
  toPayload,
  unreachedBy,
} from '../../atomizer/ui/static/state/selection.js';
import { selectionOf, whereOf } from '../../atomizer/ui/static/state/selectors.js';
import { boundsOf, shapeOf } from '../../atomizer/ui/static/state/shapes.js';
import { channelNames } from '../../atomizer/ui/static/util/format.js';
import { beforeTheEnd, movedInTime } from '../../atomizer/ui/static/view/clipboard.js';
import { axes, packed, scene, someRows } from './help.mjs';

const box = { kind: 'rect', op: 'add', t: [0.03, 0.09], f: [500, 1500] };
const cells = (items) => {
  const made = new GridSelection(scene, axes);
  made.set(items);
  return made;
};
const count = (items) => cells(items).mask.reduce((sum, v) => sum + v, 0);

test('a box selects cells by their centres, in its channels', () => {
  let expected = 0;
  for (const t of axes.seconds)
    for (const f of axes.hertz) if (t >= 0.03 && t <= 0.09 && f >= 500 && f <= 1500) expected++;
  assert.equal(count([box]), 2 * expected);
  assert.equal(count([{ ...box, channels: [1] }]), expected);
  assert.equal(count([box, { ...box, op: 'subtract' }]), 0);
});

test('a span of time selects overlapping windows up to Nyquist', () => {
  const reach = scene.hop / scene.rate,
    wanted = axes.seconds.filter((t) => t + reach > 0.05 && t - reach < 0.06).length;
  assert.equal(count([{ kind: 'rect', op: 'add', t: [0.05, 0.06] }]), 2 * wanted * scene.hop);
  const low = new GridSelection({ ...scene, sound_rate: 4000 }, axes);
  low.set([EVERYTHING]);
  assert.equal(
    low.mask.reduce((sum, v) => sum + v, 0),
    2 * scene.frames * 32,
  );
});

test('a lasso around a box selects the box on both scales', () => {
  const corners = [
    [0.03, 500],
    [0.09, 500],
    [0.09, 1500],
    [0.03, 1500],
  ];
  for (const scale of ['linear', 'log'])
    assert.equal(count([{ kind: 'lasso', op: 'add', points: corners, scale }]), count([box]));
});

test('a brush selects an ellipse, a harmonic one its multiples', () => {
  const dab = {
    kind: 'brush',
    op: 'add',
    points: [[0.08, 1000]],
    size: [0.02, 200],
    scale: 'linear',
  };
  let expected = 0;
  for (const t of axes.seconds)
    for (const f of axes.hertz)
      if (((t - 0.08) / 0.02) ** 2 + ((f - 1000) / 200) ** 2 <= 1) expected++;
  assert.equal(count([dab]), 2 * expected);
  const comb = {
    ...dab,
    size: [0.02, 60],
    points: [
      [0.04, 600],
      [0.08, 600],
    ],
    harmonics: 4,
  };
  assert.deepEqual(
    regionsOf(comb).map((r) => r.points[0][1]),
    [600, 1200, 1800, 2400],
  );
  assert.ok(regionsOf(comb).every((r) => !('harmonics' in r)));
  assert.ok(count([comb]) >= 3 * count([{ ...comb, harmonics: undefined }]));
});

test('inverting twice gives the selection; both give everything', () => {
  const items = [
    box,
    {
      kind: 'brush',
      op: 'subtract',
      points: [
        [0.05, 800],
        [0.07, 900],
      ],
      size: [0.01, 100],
      scale: 'linear',
    },
  ];
  const other = invert(items);
  assert.equal(count(items) + count(other), scene.channels * scene.frames * scene.hop);
  assert.deepEqual(cells(invert(other)).mask, cells(items).mask);
  assert.equal(invert([{ part: 'random:5' }]), null);
});

test('an item that is added again is the last one, not an equal one before', () => {
  const box = { kind: 'rect', op: 'add', t: [1, 2] };
  const less = { ...box, op: 'subtract' };
  assert.ok(
    isRepeated([less, box], { ...box }) && isRepeated([{ part: 'random:5' }], { part: 'random:5' }),
  );
  assert.ok(!isRepeated([], box) && !isRepeated([box, less], box) && !isRepeated([box], less));
});

test('the summary counts atoms and their share of the energy', () => {
  const atoms = unpackAtoms(packed(someRows(60)), 60);
  atoms.amplitude = new Float32Array(60).fill(0.1);
  const whole = { ...scene, energy: 60 * atoms.amplitude[0] ** 2 };
  cells([EVERYTHING]).markAtoms(atoms, null);
  const all = summarise(atoms, whole, axes);
  assert.equal(all.count, 60);
  assert.ok(Math.abs(all.energy - 1) < 1e-6);
  cells([]).markAtoms(atoms, null);
  assert.equal(summarise(atoms, whole, axes), null);
  cells([]).markAtoms(atoms, Uint8Array.of(0b101));
  assert.equal(summarise(atoms, whole, axes).count, 2);
});

test('moving keeps the size, and open ends stay open', () => {
  const transformed = (item, time, frequency) => shapeOf(item).move(item, time, frequency);
  const moved = transformed(
    box,
    (t) => t + 1,
    (f) => f * 2,
  );
  assert.deepEqual(moved.t, [1.03, 1.09]);
  assert.deepEqual(moved.f, [1000, 3000]);
  assert.deepEqual(
    transformed(
      { ...box, t: undefined, f: [500, null] },
      (t) => t,
      (f) => f + 1,
    ).f,
    [501, null],
  );
  assert.deepEqual(
    transformed(
      { kind: 'lasso', points: [[1, 2]] },
      (t) => t + 1,
      (f) => f,
    ).points,
    [[2, 2]],
  );
  assert.deepEqual(
    boundsOf({
      kind: 'brush',
      points: [
        [1, 400],
        [2, 800],
      ],
      size: [0.5, 1],
      scale: 'log',
    }),
    { t: [0.5, 2.5], f: [200, 1600] },
  );
});

test('payloads and files round-trip', () => {
  const items = [EVERYTHING, { ...box, op: 'subtract' }, { part: 'quietest:90' }];
  const { regions, specs, key } = toPayload(items);
  assert.deepEqual([regions.length, specs], [2, ['quietest:90']]);
  assert.equal(toPayload(fromPayload(regions, specs)).key, key);
  const file = toFileText(items, ['sign']);
  assert.deepEqual(JSON.parse(file).features, ['sign']);
  assert.equal(toPayload(parseSelectionFile(file)).key, key);
  for (const bad of ['', '[]', '{"regions": 3}', '{"regions": [{"kind": "star"}]}', '{}', 'null'])
    assert.throws(() => parseSelectionFile(bad), /\.$/);
  const texts = ['{"fills": []}', file, '{', 'null', '{"fills": 3}'];
  assert.deepEqual(texts.map(hasSettings), [true, false, false, false, false]);
});

test('items have labels and a time range', () => {
  assert.equal(labelOf(box), '0.03–0.09 s, 500 Hz–1.5 kHz');
  assert.equal(labelOf({ kind: 'rect', f: [8000, null] }), 'above 8 kHz');
  assert.equal(labelOf({ part: 'keep:2000' }), 'all but 2000 per s');
  assert.equal(labelOf({ part: 'standout:8' }), 'what stands out by 8 dB');
  assert.equal(labelOf({ part: 'beats:2' }), 'beat 2 of 2');
  assert.equal(labelOf({ part: 'beats:4,1' }), 'beat 1 of 4');
  assert.equal(labelOf({ kind: 'rect', t: [3, null], channels: [1] }), 'after 3 s, channel 1');
  const second = { kind: 'rect', t: [3, null], channels: [1] };
  assert.equal(labelOf(second, channelNames({ channels: 2 })), 'after 3 s, right');
  const widened = { channels: 2, channel_names: ['mid', 'side'] };
  assert.equal(labelOf(second, channelNames(widened)), 'after 3 s, side');
  assert.deepEqual(timeRangeOf([box, { ...box, t: [0.1, null] }], 2), [0.03, 2]);
  assert.equal(timeRangeOf([{ part: 'random:5' }], 2), null);
});

test('subtraction does not reach parts', () => {
  const box = { kind: 'rect', op: 'add', t: [1, 2] },
    less = { ...box, op: 'subtract' },
    part = { part: 'random:50' };
  assert.equal(unreachedBy([box, part], box), 'nothing');
  assert.equal(unreachedBy([box], less), 'nothing');
  assert.equal(unreachedBy([part], less), 'all');
  assert.equal(unreachedBy([box, { part: 'standout:8' }], less), 'nothing');
  assert.equal(unreachedBy([part, less], less), 'all');
  assert.equal(unreachedBy([box, part], less), 'some');
});

test('a variation has its selection, and words for it', () => {
  const items = [box, { ...box, op: 'subtract', t: [0.05, 0.06] }, { part: 'random:50' }];
  const proposal = { id: 'p', regions: [box], specs: ['random:50'] };
  const variationOf = (fields) => ({ scene, proposal: null, ...fields });
  const own = variationOf({ key: toPayload(items).key });
  assert.deepEqual(selectionOf(own), items);
  assert.equal(
    whereOf(own),
    '0.03–0.09 s, 500 Hz–1.5 kHz − 0.05–0.06 s, 500 Hz–1.5 kHz + random 50 %',
  );
  assert.deepEqual(selectionOf(variationOf({ key: 'p', proposal })), [box, { part: 'random:50' }]);
  assert.equal(whereOf(variationOf({ key: '' })), '');
  const four = variationOf({ key: toPayload([box, box, box, box]).key });
  assert.match(whereOf(four), /1.5 kHz and 1 more$/);
});

test('what would be pasted after the end is left out', () => {
  const later = { ...box, t: [0.3, 0.36] };
  const moved = movedInTime([box, later], 0.5);
  assert.deepEqual(
    beforeTheEnd(moved, 0.7).map(({ t }) => t),
    [[0.53, 0.59]],
  );
  assert.deepEqual(beforeTheEnd(moved, 1), moved);
});
