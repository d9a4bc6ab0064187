import assert from 'node:assert/strict';
import { test } from 'node:test';

import { matchingGain, matchText, rms } from '../../atomizer/ui/static/audio/levels.js';
import { spanOfFill } from '../../atomizer/ui/static/state/demo.js';
import { actionOf, SHORTCUTS } from '../../atomizer/ui/static/panels/shortcuts.js';
import { metricsOf, neighbour } from '../../atomizer/ui/static/panels/variations.js';
import { interpolate, lineColours, Palette } from '../../atomizer/ui/static/plot/palette.js';
import { SCALES } from '../../atomizer/ui/static/plot/scales.js';
import { boundsOf } from '../../atomizer/ui/static/state/shapes.js';
import { dragRegion, gripOf, nudgeRegion } from '../../atomizer/ui/static/tools/edit.js';
import { TOOLS, toolOf } from '../../atomizer/ui/static/tools/registry.js';
import { brushSize } from '../../atomizer/ui/static/tools/tool.js';

// a plane of 100 px a second and 1000 Hz to 100 px
const lane = { channel: null, top: 0, height: 400 };
const picture = {
  scale: 'linear',
  scene: { sound_rate: 44100 },
  fullTime: [0, 6],
  fullUnits: [0, 4000],
  unit: (f) => f,
  hertz: (u) => u,
  x: (t) => 100 * t,
  y: (f) => 400 - f / 10,
  secondsAt: (x) => x / 100,
  hertzAt: (y) => 10 * (400 - y),
};
const at = (x, y, l = lane) => ({ x, y, lane: l, t: x / 100, f: 10 * (400 - y) });
const box = { kind: 'rect', op: 'add', t: [1, 2], f: [1000, 2000] };

test('tools draw regions and ignore tiny drags', () => {
  const how = { op: 'add', radius: 10, maxPartials: 5, travel: 99 };
  const drawn = (id, ...drawing) => toolOf(id).toRegion(...drawing);
  assert.deepEqual(drawn('box', [at(100, 300), at(200, 200)], picture, how), box);
  assert.equal(drawn('box', [at(100, 300), at(101, 200)], picture, how), null);
  assert.equal(drawn('lasso', [at(1, 1), at(2, 2)], picture, how), null);
  assert.deepEqual(
    drawn('box', [at(100, 300, { ...lane, channel: 1 }), at(200, 200)], picture, how).channels,
    [1],
  );
  const brush = drawn('brush', [at(100, 300)], picture, { ...how, op: 'subtract' });
  assert.deepEqual([brush.op, brush.size[0].toFixed(3), brush.size[1]], ['subtract', '0.100', 100]);
  assert.equal(drawn('harmonics', [at(100, 300)], picture, how).harmonics, 5);
  assert.deepEqual(
    brushSize(picture, at(100, 300), 10, 'linear').map((v) => +v.toFixed(6)),
    [0.1, 100],
  );
});

test('edges of a box within 4 pixels of the plane are open', () => {
  const how = { op: 'add', radius: 10, maxPartials: 5, travel: 99 };
  const drawn = (...points) => toolOf('box').toRegion(points, picture, how);
  const base = { kind: 'rect', op: 'add' };
  assert.deepEqual(drawn(at(3, 300), at(200, 200)), { ...base, t: [null, 2], f: [1000, 2000] });
  assert.deepEqual(drawn(at(5, 300), at(597, 2)), { ...base, t: [0.05, null], f: [1000, null] });
  assert.deepEqual(drawn(at(100, 397), at(200, 4)), { ...base, t: [1, 2] });
  assert.deepEqual(drawn(at(1, 397), at(599, 4)), { ...base, everything: true });
});

test('grips are the edges, the corners and the inside', () => {
  assert.equal(gripOf(box, at(150, 250), picture), 'move');
  assert.equal(gripOf(box, at(101, 250), picture), 'left');
  assert.equal(gripOf(box, at(199, 201), picture), 'right top');
  assert.equal(gripOf(box, at(150, 299), picture), 'bottom');
  assert.equal(gripOf(box, at(300, 250), picture), '');
  assert.equal(gripOf({ part: 'random:5' }, at(1, 1), picture), '');
  assert.equal(gripOf({ kind: 'rect', f: [1000, null] }, at(350, 299), picture), 'bottom');
});

test('dragging moves, or stretches one edge', () => {
  const near = (a, b) => a.forEach((v, k) => assert.ok(Math.abs(v - b[k]) < 1e-6, a + ' ' + b));
  const moved = dragRegion(box, 'move', at(150, 250), at(250, 200), picture);
  near([...moved.t, ...moved.f], [2, 3, 1500, 2500]);
  const wider = dragRegion(box, 'right', at(200, 250), at(300, 100), picture);
  near([...wider.t, ...wider.f], [1, 3, 1000, 2000]);
  const lower = dragRegion(box, 'bottom', at(150, 300), at(150, 350), picture);
  near([...lower.t, ...lower.f], [1, 2, 500, 2000]);
  assert.deepEqual(
    dragRegion(
      { kind: 'rect', op: 'add', f: [1000, null] },
      'bottom',
      at(0, 300),
      at(0, 200),
      picture,
    ).f,
    [2000, null],
  );
});

const close = (a, b, most = 1e-6) =>
  a.forEach((v, k) =>
    assert.ok(Math.abs(v - b[k]) < most * Math.max(1, Math.abs(b[k])), a + ' ' + b),
  );

test('the size of a brush grows when its edge is dragged', () => {
  const stroke = {
    kind: 'brush',
    op: 'add',
    points: [
      [1, 1000],
      [2, 1500],
    ],
    size: [0.1, 100],
    scale: 'linear',
  };
  const wider = dragRegion(stroke, 'right', at(210, 250), at(330, 100), picture);
  close([...boundsOf(wider).t, ...boundsOf(wider).f], [0.9, 3.3, 900, 1600]);
  assert.equal(wider.size[1], 100);
  const dab = { ...stroke, points: [[1, 1000]] };
  const lower = boundsOf(dragRegion(dab, 'bottom', at(100, 310), at(100, 330), picture));
  close([...lower.t, ...lower.f], [0.9, 1.1, 700, 1100]);
  assert.ok(dragRegion(dab, 'right', at(110, 300), at(90, 300), picture).size[0] > 0);
});

test('arrow keys move or resize regions by 1/50 of the range', () => {
  for (const [scale, { unit, hertz }] of Object.entries(SCALES)) {
    const view = { unit, hertz, t: [0, 10], u: [unit(40), unit(20000)] },
      du = (view.u[1] - view.u[0]) / 50,
      up = (f) => hertz(unit(f) + du);
    const lasso = {
      kind: 'lasso',
      op: 'add',
      points: [
        [1, 1000],
        [2, 3000],
        [3, 2000],
      ],
      scale: 'log',
    };
    const brush = {
      kind: 'brush',
      op: 'add',
      points: [
        [1, 1000],
        [2, 3000],
      ],
      size: [0.2, 0.25],
      scale: 'log',
    };
    for (const item of [
      box,
      lasso,
      brush,
      { ...brush, points: [[1, 1000]] },
      { ...brush, size: [0.2, 90], scale: 'linear', harmonics: 3 },
    ]) {
      const { t, f } = boundsOf(item),
        bounds = (...how) => {
          const after = boundsOf(nudgeRegion(item, ...how, view));
          return [...after.t, ...after.f];
        };
      // a shape with a size is even on its own scale only
      const most = item.size && item.scale !== scale ? 0.05 : 1e-6;
      close(bounds(1, 0, true), [t[0], t[1] + 0.2, ...f]);
      close(bounds(-1, 0, true), [t[0], t[1] - 0.2, ...f]);
      close(bounds(0, 1, true), [...t, f[0], up(f[1])], most);
      close(bounds(1, 0, false), [t[0] + 0.2, t[1] + 0.2, ...f]);
      if (!item.size) close(bounds(0, 1, false), [...t, ...f.map(up)]);
    }
    assert.equal(nudgeRegion(box, 0, 1, true, view).f[0], 1000); // what stays, stays exactly
  }
});

test('arrow keys need an edge and never remove a region', () => {
  const view = { ...picture, t: [0, 10], u: [0, 20000] };
  assert.equal(nudgeRegion({ kind: 'rect', op: 'add', f: [1000, null] }, 1, 0, true, view), null);
  assert.equal(nudgeRegion({ kind: 'rect', op: 'add', f: [1000, null] }, 1, 0, false, view), null);
  assert.deepEqual(nudgeRegion({ kind: 'rect', op: 'add', f: [1000, null] }, 0, 1, true, view).f, [
    1400,
    null,
  ]);
  assert.equal(nudgeRegion({ ...box, t: [1, 1.2] }, -1, 0, true, view), null);
  assert.equal(nudgeRegion({ kind: 'rect', op: 'add', channels: [1] }, 0, 1, true, view), null);
});

test('every tool has its own key', () => {
  assert.equal(new Set(TOOLS.map(({ key }) => key)).size, TOOLS.length);
  for (const { id, key } of TOOLS.filter((tool) => !tool.isTouchOnly)) {
    assert.equal(toolOf(id).id, id);
    assert.equal(actionOf({ key }), id);
  }
});

test('every key has one action', () => {
  const keys = SHORTCUTS.flatMap(({ rows }) => rows.flatMap((row) => row.keys));
  assert.equal(new Set(keys).size, keys.length);
  const press = (key, more = {}) =>
    actionOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
  assert.equal(press('b'), 'box');
  assert.equal(press('B', { shiftKey: true }), 'box');
  assert.equal(press('z'), 'zoom');
  assert.equal(press('z', { ctrlKey: true }), 'undo');
  assert.equal(press('Z', { metaKey: true, shiftKey: true }), 'redo');
  assert.equal(press('b', { altKey: true }), undefined);
  assert.equal(press('§'), undefined);
});

test('lines stand out from a dark page', () => {
  const light = (hex) =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, k) => {
      const value = parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16) / 255;
      return sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    }, 0.05);
  for (const [name, colour] of Object.entries(lineColours(true)))
    assert.ok(light(colour) / light('#0f172a') > 4, name);
});

test('palettes interpolate their stops', () => {
  assert.deepEqual(
    interpolate(
      [
        [0, 0, 0],
        [100, 200, 50],
      ],
      0.5,
    ),
    [50, 100, 25],
  );
  const palette = new Palette({
    gammas: [1, 1],
    tints: 2,
    faint: 0.5,
    untinted: { b: 'a' },
    kinds: ['a', 'b'],
    channels: 1,
    ranks: 1,
    themes: {
      light: {
        paper: [255, 255, 255],
        ramps: [
          [
            [0, 0, 0],
            [255, 255, 255],
          ],
          [
            [0, 0, 0],
            [255, 0, 255],
          ],
        ],
      },
    },
  });
  const table = palette.table(false);
  assert.equal(table[0], 0xff000000);
  assert.equal(table[255], 0xffffffff);
  const [faint, full] = palette.tables(false);
  assert.deepEqual([faint[511], full[511]], [0xffff7fff, 0xffff00ff]);
  assert.match(palette.gradient('a', false), /^linear-gradient/);
});

test('with more contrast quiet atoms recede more, loud ones stay', () => {
  const ramp = [
    [255, 255, 255],
    [0, 0, 0],
  ];
  const palette = new Palette({
    gammas: [0.5, 2],
    tints: 1,
    untinted: {},
    kinds: ['a'],
    ranks: 1,
    themes: { light: { ramps: [ramp] } },
  });
  const darkness = (velocity) => 255 - (palette.table(false)[velocity] & 255);
  const [quiet, loud] = [[], []];
  for (const contrast of [0, 0.5, 1]) {
    palette.setContrast(contrast);
    quiet.push(darkness(64));
    loud.push(darkness(255));
  }
  assert.ok(quiet[0] > quiet[1] && quiet[1] > quiet[2], String(quiet));
  assert.deepEqual(loud, [255, 255, 255]);
});

test('levels are matched within bounds', () => {
  const buffer = {
    numberOfChannels: 1,
    sampleRate: 10,
    length: 4,
    getChannelData: () => Float32Array.of(1, -1, 1, -1),
  };
  assert.equal(rms(buffer), 1);
  assert.equal(matchingGain(0.1, 0.2), 0.5);
  assert.equal(matchingGain(1, 0.01), 4);
  assert.equal(matchingGain(0, 0.1), 1);
  const [off, none, equal, louder] = [
    [false, 2],
    [true, null],
    [true, 1.001],
    [true, 10 ** (-1.2 / 20)],
  ].map((values) => matchText(...values));
  assert.match(off, /not matched/);
  assert.match(none, /will play/);
  assert.match(equal, /as loud as/);
  assert.match(louder, /1.2 dB quieter than it is exported/);
});

test('variations have metrics and neighbours', () => {
  const guessed = { has_reference: true, snr_db: -1.25, level_db: -0.5, lsd: 0.9 };
  assert.equal(metricsOf(guessed), 'level −0.5 dB · LSD 0.90');
  assert.equal(metricsOf({ ...guessed, has_reference: false }), '');
  assert.match(metricsOf({ ...guessed, level_db: -0.04 }), /^level 0.0 dB/);
  const exact = { has_reference: true, snr_db: 3.25, level_db: null, lsd: null };
  assert.equal(metricsOf(exact), 'SNR 3.3 dB');
  assert.equal(metricsOf({ ...exact, snr_db: null }), '');
  assert.match(metricsOf({ ...guessed, level_db: 5.7 }), /^level \+5.7 dB/);
  const all = [{ id: 3 }, { id: 5 }, { id: 9 }];
  assert.equal(neighbour(all, 3, 1), 5);
  assert.equal(neighbour(all, 3, -1), 9);
  assert.equal(neighbour([], 3, 1), null);
  assert.deepEqual(
    [1, -1].map((step) => neighbour(all, null, step)),
    [3, 9],
  ); // none is chosen
});

test('the span of a fill is that of its filled-in atoms', () => {
  const atoms = { count: 4, frame: [10, 300, 200, 400], state: [0, 2, 2, 1] };
  assert.deepEqual(spanOfFill(atoms, 0.01), [2, 3]);
  assert.equal(spanOfFill({ ...atoms, state: [0, 0, 0, 1] }, 0.01), null); // nothing was filled in
});
