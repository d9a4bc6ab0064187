import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  arrowPath,
  bandOf,
  drawnSources,
  labelShift,
  rowsOf,
  SourceLayer,
} from '../../atomizer/ui/static/panels/sources.js';
import { newDocument, newElement } from './dom.mjs';

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

test('an arrow ends at the hole, its head along the arch', () => {
  const path = arrowPath(0, 68, 50);
  assert.match(path, /^M0 50Q34 16 68 50M/);
  const [a, tip, b] = path
    .split('M')[2]
    .split('L')
    .map((point) => point.split(' ').map(Number));
  assert.deepEqual(tip, [68, 50]);
  const [back, side] = [0, 1].map((k) => (a[k] + b[k]) / 2 - tip[k]);
  assert.ok(back < 0 && Math.abs(back - side) < 0.2, 'it comes from the upper left');
});

test('a band is what the selection takes there', () => {
  const lanes = [
    { channel: 0, top: 8, height: 100 },
    { channel: 1, top: 120, height: 100 },
  ];
  const yOf = (f, { top, height }) => top + height * (1 - f / 1000);
  const box = { kind: 'rect', op: 'add', t: [1, 2], f: [200, 400] };
  const at = (items, span = [1.2, 1.4]) => bandOf(items, span, lanes, yOf);
  assert.deepEqual(at([box]), { top: 68, bottom: 200, middle: 78 });
  assert.deepEqual(at([{ ...box, channels: [1] }]), { top: 180, bottom: 200, middle: 190 });
  assert.deepEqual(at([{ ...box, f: null }]), { top: 8, bottom: 220, middle: 58 });
  const whole = { top: 8, bottom: 220, middle: 114 };
  assert.deepEqual(at([box], [3, 4]), whole);
  assert.deepEqual(at([{ ...box, f: [2000, 3000] }]), whole);
});

test('a label stays in sight beside its span', () => {
  assert.equal(labelShift([200, 240], 120, 500), 0);
  assert.equal(labelShift([10, 30], 120, 500), 40);
  assert.equal(labelShift([480, 500], 120, 500), -50);
  assert.equal(labelShift([-90, -40], 120, 500), 0);
});

test('labels that would cover others are above them', () => {
  const spans = [
    [0, 150],
    [90, 240],
    [160, 300],
  ];
  assert.deepEqual(rowsOf(spans), [0, 1, 0]);
  assert.deepEqual(rowsOf([spans[0], spans[0], spans[0]]), [0, 1, 2]);
});

/** A layer of sources in a page, and the spans that were moved. */
function opened(sources) {
  const layer = newElement();
  newDocument().append(layer);
  const moved = [];
  const picture = {
    ...{ t: [0, 10], u: [0, 1], left: 0, width: 500, duration: 10 },
    lanes: () => [{ channel: null, top: 0, height: 100 }],
    x: (t) => 50 * t,
    y: (f) => f,
  };
  const view = new SourceLayer(layer, picture, { moved: (span) => moved.push(span), refused() {} });
  view.show(sources, []);
  const buttons = () => layer.querySelectorAll('button');
  return { layer, view, moved, buttons };
}

test('a source that a key has moved keeps the focus', () => {
  const { view, moved, buttons } = opened([source(1, 2, 0.5), source(7, 8, 0.4)]);
  buttons()[2].focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'Enter']) buttons()[2].press(key);
  assert.deepEqual(moved, [[7.1, 8.1]]);
  view.show([], []); // while the fill runs
  assert.equal(document.activeElement, document.body);
  view.show([source(7.1, 8.1, 0.4)], []);
  assert.equal(document.activeElement, buttons()[0]);
  view.show([source(3, 4, 0.4), source(7, 8, 0.4)], []); // drawn again
  assert.equal(document.activeElement, buttons()[0]);
  view.show([], []);
  view.show([source(3, 4, 0.4), source(7, 8, 0.4)], []); // as before
  assert.equal(document.activeElement, buttons()[0]);
});

test('a source takes no focus that is elsewhere by now', () => {
  const { view, buttons } = opened([source(1, 2, 0.5)]);
  buttons()[1].focus();
  view.show([], []);
  const other = newElement('button');
  document.body.append(other);
  other.focus();
  view.show([source(3, 4, 0.5)], []);
  assert.equal(document.activeElement, other);
});

test('a source that is dragged has its arrow, alone', () => {
  const { layer, view, buttons } = opened([source(1, 2, 0.5), source(7, 8, 0.4)]);
  const arrowAt = (k) => layer.children[0].children[k];
  const from = () => Number(/^M([\d.]+)/.exec(arrowAt(0).children[0].attributes.d)[1]);
  assert.equal(from(), 75);
  for (let k = 0; k < 10; k++) buttons()[0].press('ArrowRight');
  assert.equal(from(), 100);
  assert.deepEqual(
    [arrowAt(1).attributes.opacity, layer.children[2].style.visibility],
    ['0', 'hidden'],
  );
  view.putBack(); // it was refused
  assert.deepEqual([from(), buttons()[0].textContent], [75, 'copied from 1–2 s']);
  assert.ok(!layer.children[2].style.visibility);
});
