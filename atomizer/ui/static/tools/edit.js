// Moving and resizing regions: by their edges, or with the arrow keys.

import { EVERYTHING } from '../state/selection.js';
import { boundsOf, shapeOf } from '../state/shapes.js';

/** @typedef {import('../types').Item} Item */
/** @typedef {import('../types').PlanePoint} PlanePoint */
/** @typedef {import('../types').Projection} Projection */

const GRIP = 9; // CSS pixels around an edge in which it is grabbed
const SNAP = 4; // CSS pixels: what is as near to an edge of the plane reaches it
const FAR = 1e9; // pixels of an edge without a limit

/** Name of the edge near a position, "" between them, null outside.
 * @param {number} value
 * @param {number} from
 * @param {number} to
 * @param {string} first
 * @param {string} last */
function edgeAt(value, from, to, first, last) {
  if (value < from - GRIP || value > to + GRIP) return null;
  const [toFirst, toLast] = [Math.abs(value - from), Math.abs(value - to)];
  if (toFirst <= GRIP && toLast <= GRIP) return toFirst < toLast ? first : last;
  if (toFirst <= GRIP) return first;
  return toLast <= GRIP ? last : '';
}

/** Part of a region at a point: "move", edges such as "left top", or "" for none.
 * @param {Item} item
 * @param {PlanePoint} point
 * @param {Projection} picture */
export function gripOf(item, point, picture) {
  if (item.part || item.everything) return '';
  if (point.lane.channel !== null && item.channels && !item.channels.includes(point.lane.channel))
    return '';
  const { t, f } = boundsOf(item);
  if (!t && !f) return '';
  const x = (/** @type {number | null} */ v, /** @type {number} */ open) =>
    v == null ? open : picture.x(v);
  const y = (/** @type {number | null} */ v, /** @type {number} */ open) =>
    v == null ? open : picture.y(v, point.lane);
  const across = t ? edgeAt(point.x, x(t[0], -FAR), x(t[1], FAR), 'left', 'right') : '';
  const along = f ? edgeAt(point.y, y(f[1], -FAR), y(f[0], FAR), 'top', 'bottom') : '';
  if (across === null || along === null) return '';
  return [across, along].filter(Boolean).join(' ') || 'move';
}

/** A box without the limits that lie at edges of the plane: a hand that drags to the end of the
 * picture means the end of the sound, with its last frame, and all frequencies.
 * @param {Item} item
 * @param {import('../types').Lane} lane
 * @param {Projection} picture
 * @returns {Item} */
export function openAtEdges(item, lane, picture) {
  const { t, f, ...rest } = item;
  /** @param {import('../types').Span | null | undefined} span
   * @param {import('../types').Range} ends
   * @param {(value: number) => number} pixel
   * @returns {import('../types').Span | null} */
  const opened = (span, ends, pixel) => {
    const limitOf = (/** @type {number | null} */ value, /** @type {number} */ end) =>
      value !== null && Math.abs(pixel(value) - pixel(end)) > SNAP ? value : null;
    const [from, to] = span ?? [null, null];
    const [first, last] = [limitOf(from, ends[0]), limitOf(to, ends[1])];
    return first === null && last === null ? null : [first, last];
  };
  const [low, top] = picture.fullUnits;
  const time = opened(t, picture.fullTime, (v) => picture.x(v));
  const band = opened(f, [picture.hertz(low), picture.hertz(top)], (v) => picture.y(v, lane));
  if (!time && !band && !item.channels) return { ...EVERYTHING, op: item.op };
  return { ...rest, ...(time && { t: time }), ...(band && { f: band }) };
}

/** Move a value when one edge of a range is dragged: everything keeps its share of the way to the
 * edge that stays.
 * @param {number} low
 * @param {number} high
 * @param {boolean} isLowEdge which edge is dragged
 * @param {number} value
 * @param {number} delta */
function stretch(low, high, isLowEdge, value, delta) {
  const size = high - low || 1e-9;
  const next = isLowEdge ? size - delta : size + delta;
  return isLowEdge ? high - ((high - value) / size) * next : low + ((value - low) / size) * next;
}

/** A region after its grip was dragged from one point to another.
 * @param {Item} item
 * @param {string} grip from `gripOf`
 * @param {{t: number, f: number}} from
 * @param {{t: number, f: number}} to
 * @param {Pick<Projection, 'unit' | 'hertz'>} picture */
export function dragRegion(item, grip, from, to, picture) {
  const { t, f } = boundsOf(item);
  const dt = to.t - from.t;
  const du = picture.unit(to.f) - picture.unit(from.f);
  const positive = (/** @type {number} */ v) => Math.max(v, 1e-3);
  const same = (/** @type {number} */ v) => v;
  const shiftTime = (/** @type {number} */ v) => v + dt;
  const shiftHertz = (/** @type {number} */ v) => positive(picture.hertz(picture.unit(v) + du));
  if (grip === 'move') return shapeOf(item).move(item, shiftTime, shiftHertz);

  const isLeft = grip.includes('left');
  const isBottom = grip.includes('bottom');
  let [time, frequency] = [same, same];
  if (isLeft || grip.includes('right')) {
    const [start, end] = t ?? [null, null];
    time = start == null || end == null ? shiftTime : (v) => stretch(start, end, isLeft, v, dt);
  }
  if (isBottom || grip.includes('top')) {
    const [bottom, top] = f ?? [null, null];
    if (bottom == null || top == null) frequency = shiftHertz;
    else {
      const [low, high] = [picture.unit(bottom), picture.unit(top)];
      const stays = isBottom ? top : bottom; // exactly
      frequency = (v) =>
        v === stays
          ? v
          : positive(picture.hertz(stretch(low, high, isBottom, picture.unit(v), du)));
    }
  }
  return shapeOf(item).stretch(item, time, frequency);
}

/**
 * A region after an arrow key: moved by 1/50 of the visible range, or its end or top moved.
 * Null if it has no such edge, or nothing would be left of it.
 * @param {Item} item
 * @param {number} across -1, 0 or 1
 * @param {number} along -1, 0 or 1
 * @param {boolean} resize
 * @param {Pick<Projection, 'unit' | 'hertz' | 't' | 'u'>} picture
 */
export function nudgeRegion(item, across, along, resize, picture) {
  const step = (/** @type {number[]} */ [from, to]) => (to - from) / 50;
  const dt = across * step(picture.t);
  const du = along * step(picture.u);
  const { t, f } = boundsOf(item);
  const span = across ? t : f && f.map((v) => (v == null ? null : picture.unit(v)));
  if (!span) return null;
  const [low, high] = span;
  if (resize && low != null && high != null && high - low + dt + du <= 0) return null;
  const middle = (picture.u[0] + picture.u[1]) / 2;
  const from = { t: 0, f: picture.hertz(middle) };
  const to = { t: dt, f: picture.hertz(middle + du) };
  const edge = across ? 'right' : 'top';
  return dragRegion(item, resize ? edge : 'move', from, to, picture);
}
