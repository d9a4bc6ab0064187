// The geometry of regions: which atoms a shape takes, its bounds, its outline, how it is moved.
//
// To add a shape, for instance another brush:
//   1. here: an entry of SHAPES. Selecting atoms (selection.js, pursuit_selection.js), dragging
//      (tools/edit.js), the outline (plot/overlay.js) and saved files follow from it.
//   2. tools/: a tool that draws it, listed in tools/registry.js. The toolbar, its key and the
//      shortcut sheet follow from that.
//   3. types.d.ts: its kind and its fields.
//   4. Python: the same shape; atomizer/atoms/shapes.py lists the places. tests/browser compares
//      both sides atom by atom for the shapes that its tests draw.

/** @typedef {import('../types').Item} Item */
/** @typedef {import('../types').Region} Region */
/** @typedef {import('../types').Point} Point */
/** @typedef {import('../types').Span} Span */
/** @typedef {import('../types').Range} Range */

/**
 * A test for one frequency: whether the shape takes an atom centred at t seconds.
 * @callback RowTest
 * @param {number} t
 * @param {number} reach half the length of the atom's window in seconds
 * @returns {boolean}
 */

/**
 * A piece of a region; a region takes what any of its pieces takes.
 * @typedef {object} Piece
 * @property {(f: number) => RowTest | null} row test for the atoms at f Hz; null if none are taken
 * @property {(seconds: Float64Array) => Range} frames index range outside of which none are taken
 * @property {(hertz: Float64Array) => Range} bins the same for frequencies
 * @property {boolean} [solid] whether `row` is the same for all of `bins`
 */

/** @typedef {{t: Span | null, f: Span | null}} Bounds */
/** @typedef {(value: number) => number} Move */

/**
 * Part of an outline in pixels: a box, a closed polygon, or a line drawn with an elliptic pen.
 * @typedef {{box: Bounds} | {polygon: number[][]} | {line: number[][], rx: number, ry: number}}
 *   Primitive
 */

/**
 * Pixels of a time and of a frequency in one lane.
 * @typedef {{x: (t: number) => number, y: (f: number) => number}} LaneProjection
 */

/**
 * @typedef {object} Shape
 * @property {(region: Region) => boolean} isValid whether it has what the shape needs
 * @property {(region: Region, nyquist: number) => Piece[]} pieces
 * @property {(item: Item) => Bounds} bounds null means no limit
 * @property {(item: Item, time: Move, frequency: Move) => Item} move
 * @property {(item: Item, time: Move, frequency: Move) => Item} stretch as `move`, and the size of
 *   a pen grows along
 * @property {(item: Item, project: LaneProjection) => Primitive[]} outline
 */

/** @param {Span | null | undefined} span
 * @returns {Range} */
const limits = (span) => [span?.[0] ?? -Infinity, span?.[1] ?? Infinity];

/** Margin of bounds that only save time: it covers rounding. */
const MARGIN = 1e-6;

/** @param {number} f */
const octave = (f) => Math.log2(Math.max(f, 1e-3));

/** Function from Hz to the axis on which the edges of a region are straight.
 * @param {{scale?: string}} region
 * @returns {Move} */
const heightOf = (region) => (region.scale === 'log' ? octave : (f) => f);

/** Index of the first of ascending values that passes a test which then stays true.
 * @param {ArrayLike<number>} values
 * @param {(value: number) => boolean} passes */
function firstIndex(values, passes) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(values[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** @param {ArrayLike<number>} values
 * @returns {Range} */
const allOf = (values) => [0, values.length];

/** The points of a region that has some.
 * @param {Item} item */
const pointsOf = (item) => /** @type {Point[]} */ (item.points);

/** @param {Item} region */
const hasPoints = (region) => Array.isArray(region.points) && region.points.length > 0;

/** Bounds of points with a margin of `size`.
 * @param {Item} item
 * @returns {Bounds} */
function pointBounds(item) {
  const times = pointsOf(item).map((p) => p[0]);
  const hertz = pointsOf(item).map((p) => p[1]);
  const [dt, df] = item.size || [0, 0];
  const low = Math.min(...hertz);
  const high = Math.max(...hertz);
  return {
    t: [Math.min(...times) - dt, Math.max(...times) + dt],
    f: item.scale === 'log' ? [low / 2 ** df, high * 2 ** df] : [Math.max(low - df, 1), high + df],
  };
}

/** @param {Item} item
 * @param {Move} time
 * @param {Move} frequency
 * @returns {Item} */
const movePoints = (item, time, frequency) => ({
  ...item,
  points: pointsOf(item).map(([t, f]) => [time(t), frequency(f)]),
});

/** @param {Span} span
 * @param {Move} change
 * @returns {Span} */
function moveSpan(span, change) {
  const [from, to] = span.map((v) =>
    v === null || v === undefined ? null : Math.max(0, change(v)),
  );
  return from !== null && to !== null && from > to ? [to, from] : [from, to];
}

/** @type {Shape} */
const rect = {
  isValid: () => true,

  pieces(region, nyquist) {
    const [t0, t1] = limits(region.t);
    // a region without frequencies ends at the Nyquist frequency of the recording
    const [low, high] = region.f ? limits(region.f) : [-Infinity, nyquist];
    /** A span of time without frequencies takes every atom whose window overlaps it.
     * @type {RowTest} */
    const inside =
      region.t && !region.f
        ? (t, reach) => t + reach - t0 > 1e-9 && t1 - (t - reach) > 1e-9
        : (t) => t >= t0 && t <= t1;
    return [
      {
        solid: true,
        row: (f) => (f >= low && f <= high ? inside : null),
        frames: allOf,
        bins: (hertz) => [firstIndex(hertz, (f) => f >= low), firstIndex(hertz, (f) => f > high)],
      },
    ];
  },

  bounds: (item) => ({ t: item.t || null, f: item.f || null }),

  move(item, time, frequency) {
    const moved = { ...item };
    if (item.t) moved.t = moveSpan(item.t, time);
    if (item.f) moved.f = moveSpan(item.f, frequency);
    return moved;
  },

  stretch: (item, time, frequency) => rect.move(item, time, frequency),

  outline: (item) => [{ box: rect.bounds(item) }],
};

/** A closed polygon, by the even-odd rule.
 * @type {Shape} */
const lasso = {
  isValid: hasPoints,

  pieces(region) {
    const height = heightOf(region);
    const corners = pointsOf(region).map(([t, f]) => [t, height(f)]);
    const times = corners.map(([t]) => t);
    const [start, end] = [Math.min(...times) - MARGIN, Math.max(...times) + MARGIN];
    return [
      {
        // the operations come in the order of Lasso.contains in Python, so that rounding agrees
        row(f) {
          const level = height(f);
          /** @type {number[]} */
          const crossings = [];
          corners.forEach(([x0, y0], k) => {
            const [x1, y1] = corners[(k + 1) % corners.length];
            if (y0 > level !== y1 > level)
              crossings.push(((x1 - x0) * (level - y0)) / (y1 - y0) + x0);
          });
          if (!crossings.length) return null;
          return (t) => {
            let right = 0;
            for (const x of crossings) if (x > t) right++;
            return right % 2 === 1;
          };
        },
        frames: (seconds) => [
          firstIndex(seconds, (t) => t >= start),
          firstIndex(seconds, (t) => t > end),
        ],
        bins: allOf,
      },
    ];
  },

  bounds: pointBounds,
  move: movePoints,
  stretch: movePoints,

  outline: (item, { x, y }) => [{ polygon: pointsOf(item).map(([t, f]) => [x(t), y(f)]) }],
};

/** An ellipse that is moved along a line; several lines for the partials of a harmonic stroke.
 * @type {Shape} */
const brush = {
  isValid: hasPoints,

  /** One piece per segment of the line, as Brush.contains in Python. */
  pieces(region) {
    const [sx, sy] = sizeOf(region).map((s) => Math.max(s, 1e-9));
    const height = lastValue((f) => heightOf(region)(f) / sy);
    const line = pointsOf(region).map(([t, f]) => [t / sx, heightOf(region)(f) / sy]);
    return line.map(([ax, ay], k) => {
      const [bx, by] = line[Math.min(k + 1, line.length - 1)];
      const [dx, dy] = [bx - ax, by - ay];
      const squared = Math.max(dx * dx + dy * dy, 1e-12);
      const [left, right] = [Math.min(ax, bx) - 1, Math.max(ax, bx) + 1];
      const [bottom, top] = [Math.min(ay, by) - 1, Math.max(ay, by) + 1];
      return {
        row(f) {
          const y = height(f);
          if (y < bottom - MARGIN || y > top + MARGIN) return null;
          const v = y - ay;
          return (t) => {
            const u = t / sx - ax;
            const along = Math.min(Math.max((u * dx + v * dy) / squared, 0), 1);
            const ex = u - along * dx;
            const ey = v - along * dy;
            return ex * ex + ey * ey <= 1;
          };
        },
        frames: (seconds) => [
          firstIndex(seconds, (t) => t / sx >= left),
          firstIndex(seconds, (t) => t / sx >= right),
        ],
        bins: (hertz) => [
          firstIndex(hertz, (f) => height(f) >= bottom),
          firstIndex(hertz, (f) => height(f) >= top),
        ],
      };
    });
  },

  bounds: pointBounds,
  move: movePoints,

  stretch(item, time, frequency) {
    const { t, f } = /** @type {{t: Range, f: Range}} */ (pointBounds(item));
    const [dt, df] = sizeOf(item);
    const height = item.scale === 'log' ? Math.log2 : (/** @type {number} */ v) => v;
    /** @param {Range} span
     * @param {Move} change
     * @param {Move} unit */
    const growth = ([from, to], change, unit) =>
      Math.abs((unit(change(to)) - unit(change(from))) / (unit(to) - unit(from)));
    // a pen of size 0 would select nothing
    const grown = (/** @type {number} */ factor) => Math.max(1e-3, factor);
    return {
      ...movePoints(item, time, frequency),
      size: [dt * grown(growth(t, time, (v) => v)), df * grown(growth(f, frequency, height))],
    };
  },

  outline(item, { x, y }) {
    const [dt, df] = sizeOf(item);
    return Array.from({ length: item.harmonics || 1 }, (_, k) => {
      const points = partial(pointsOf(item), k + 1);
      const middle = points[points.length >> 1][1];
      const above = item.scale === 'log' ? middle * 2 ** df : middle + df;
      return {
        line: points.map(([t, f]) => [x(t), y(f)]),
        rx: Math.max(1, x(dt) - x(0)),
        ry: Math.max(1, y(middle) - y(above)),
      };
    });
  },
};

/** @param {Item} item */
const sizeOf = (item) => /** @type {[number, number]} */ (item.size);

/** A function that remembers its last value: all pieces of a line ask for the same one.
 * @param {Move} compute
 * @returns {Move} */
function lastValue(compute) {
  let argument = NaN;
  let value = NaN;
  return (f) => {
    if (f !== argument) [argument, value] = [f, compute(f)];
    return value;
  };
}

/** The points of a stroke at a multiple of its frequencies.
 * @param {Point[]} points
 * @param {number} multiple
 * @returns {Point[]} */
export const partial = (points, multiple) => points.map(([t, f]) => [t, f * multiple]);

/** All shapes by their kind.
 * @type {Record<Region['kind'], Shape>} */
export const SHAPES = { rect, lasso, brush };

/** The shape of an item that is no part by rank.
 * @param {Item} item */
export const shapeOf = (item) => SHAPES[item.kind ?? 'rect'];

/** Bounds of an item in seconds and Hz; null means no limit.
 * @param {Item} item */
export const boundsOf = (item) => shapeOf(item).bounds(item);

/** Whether Python, or a file, may have written this region.
 * @param {any} region */
export const isValidRegion = (region) =>
  !!region && Object.hasOwn(SHAPES, region.kind) && shapeOf(region).isValid(region);
