// Mouse, pen and fingers in the picture: draw, move and resize regions, zoom, pan, hover, seek.

import { dragRegion, gripOf, openAtEdges } from './edit.js';
import { toolOf } from './registry.js';

/** @typedef {import('../types').Item} Item */
/** @typedef {import('../types').PlanePoint} PlanePoint */

const CLICK = 4; // CSS pixels: what moves less is a click
const STEP = 3; // CSS pixels between two points of a line
const MAX_POINTS = 1500;
const MIN_ZOOM = 8; // CSS pixels: a flat or narrow frame zooms along one axis only
const MIN_PINCH = 24; // CSS pixels

/**
 * What the pointer asks of the view, and tells it.
 * @typedef {object} Host
 * @property {() => string} tool id of the current tool
 * @property {(event: PointerEvent) => import('../types').SelectionMode} mode
 * @property {() => Item[]} items
 * @property {() => number} radius of the brush
 * @property {() => number} maxPartials
 * @property {() => number} drop dB of the wand
 * @property {(item: Item | null, index: number, replaces?: boolean) => void} preview
 * @property {(item: Item, replaces: boolean) => void} add
 * @property {(index: number, item: Item) => void} edit
 * @property {(index: number) => void} choose
 * @property {(seconds: number) => void} seek
 * @property {(point: PlanePoint | null) => void} hover
 * @property {() => void} pressed
 * @property {(a: PlanePoint | null, b?: PlanePoint) => void} zoomFrame
 */

/**
 * A press of the pointer, from down to up.
 * @typedef {object} Press
 * @property {string} tool
 * @property {PlanePoint} start
 * @property {PlanePoint} last the last point that was used
 * @property {PlanePoint} now
 * @property {PlanePoint[]} points
 * @property {number} travel CSS pixels
 * @property {import('../types').SelectionMode} mode
 * @property {number} index of the grabbed item, -1 for none
 * @property {Item | null} item
 * @property {string} grip
 */

/** @typedef {{x: number, y: number, width: number, height: number}} Pinch */

/** Listens to the stage. */
export class Pointer {
  /** @param {HTMLElement} stage
   * @param {import('../plot/picture.js').Picture} picture
   * @param {Host} host */
  constructor(stage, picture, host) {
    this.stage = stage;
    this.picture = picture;
    this.host = host;
    /** @type {Map<number, PointerEvent>} */
    this.fingers = new Map();
    /** @type {Press | null} */
    this.press = null;
    /** @type {Pinch | null} */
    this.pinch = null;
    this.frame = 0;
    stage.addEventListener('pointerdown', (event) => this.down(event));
    stage.addEventListener('pointermove', (event) => this.move(event));
    stage.addEventListener('pointerup', (event) => this.up(event));
    stage.addEventListener('pointercancel', (event) => {
      this.fingers.delete(event.pointerId);
      this.cancel();
    });
    stage.addEventListener('pointerleave', () => {
      if (!this.press) host.hover(null);
    });
    stage.addEventListener('dblclick', () => {
      if (['zoom', 'pan'].includes(host.tool())) picture.fit();
    });
    stage.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
  }

  /** The picture as tools see it; there is a scene whenever the pointer acts.
   * @returns {import('../types').Projection} */
  get projection() {
    return /** @type {import('../types').Projection} */ (/** @type {unknown} */ (this.picture));
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (!this.picture.scene || event.button) return;
    const tool = this.host.tool();
    const scrolls = tool === 'scroll' && event.pointerType === 'touch';
    if (!scrolls) event.preventDefault();
    this.host.pressed();
    /** @type {HTMLElement | null} */ (this.stage.closest('.atom-view'))?.focus({
      preventScroll: true,
    });
    this.fingers.set(event.pointerId, event);
    try {
      if (!scrolls) this.stage.setPointerCapture(event.pointerId);
    } catch {
      /* the pointer is gone already */
    }
    if (this.fingers.size === 2) {
      this.cancel();
      this.pinch = this.pinchOfFingers();
      return;
    }
    const start = this.picture.pointAt(event);
    this.press = {
      tool,
      start,
      last: start,
      now: start,
      points: [start],
      travel: 0,
      mode: this.host.mode(event),
      index: -1,
      item: null,
      grip: '',
    };
    if (this.press.tool === 'move') this.grab(this.press);
  }

  /** Grab the topmost region at the pointer.
   * @param {Press} press */
  grab(press) {
    const items = this.host.items();
    for (let index = items.length - 1; index >= 0 && !press.grip; index--) {
      press.grip = gripOf(items[index], press.start, this.projection);
      if (press.grip) Object.assign(press, { index, item: items[index] });
    }
    this.host.choose(press.index);
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, event);
    if (this.pinch) {
      this.movePinch(this.pinch);
      return;
    }
    const { press, picture } = this;
    const point = picture.pointAt(event, press && press.start.lane);
    if (!press) {
      this.host.hover(point.outside ? null : point);
      return;
    }
    const { start, last } = press;
    press.travel = Math.max(press.travel, Math.hypot(point.x - start.x, point.y - start.y));
    if (press.tool === 'pan') picture.pan(point.x - last.x, point.y - last.y, start.lane);
    const isStep = Math.hypot(point.x - last.x, point.y - last.y) >= STEP;
    if (isStep && press.points.length < MAX_POINTS && !toolOf(press.tool).isBox)
      press.points.push(point);
    if (isStep || press.tool === 'pan') press.last = point;
    press.now = point;
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.preview();
    });
  }

  /** The region that a press has drawn; null if it is too small.
   * @param {Press} press */
  regionOf(press) {
    const tool = toolOf(press.tool);
    if (!tool.toRegion) return null;
    return tool.toRegion(tool.isBox ? [press.start, press.now] : press.points, this.projection, {
      op: press.mode === 'subtract' ? 'subtract' : 'add',
      drop: this.host.drop(),
      radius: this.host.radius(),
      maxPartials: this.host.maxPartials(),
      travel: press.travel,
    });
  }

  /** The grabbed item of a press, moved or resized.
   * @param {Press} press
   * @param {Item} item */
  movedItem({ grip, start, now }, item) {
    const moved = dragRegion(item, grip, start, now, this.projection);
    const isStretched = item.kind === 'rect' && grip !== 'move';
    return isStretched ? openAtEdges(moved, start.lane, this.projection) : moved;
  }

  preview() {
    const { press } = this;
    if (!press || press.travel <= CLICK) return;
    if (press.tool === 'move' && press.item)
      this.host.preview(this.movedItem(press, press.item), press.index);
    else if (toolOf(press.tool).toRegion && !toolOf(press.tool).isPoint)
      this.host.preview(this.regionOf(press), -1, press.mode === 'replace');
    else if (press.tool === 'zoom') this.host.zoomFrame(press.start, press.now);
  }

  /** @param {PointerEvent} event */
  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.pinch) {
      if (!this.fingers.size) this.pinch = null;
      return;
    }
    const { press } = this;
    if (!press) return;
    this.press = null;
    const tool = toolOf(press.tool);
    if (press.travel <= CLICK && !tool.isBrush && !tool.isPoint) {
      this.host.preview(null, -1);
      if (press.index < 0 && !press.start.outside) this.host.seek(press.start.t);
    } else if (press.tool === 'move') {
      if (press.item) this.host.edit(press.index, this.movedItem(press, press.item));
    } else if (press.tool === 'zoom') {
      this.host.zoomFrame(null);
      this.zoomTo(press.start, press.now);
    } else if (tool.toRegion) {
      const item = this.regionOf(press);
      if (item) this.host.add(item, press.mode === 'replace');
      else this.host.preview(null, -1);
    }
  }

  /** Zoom into the frame between two points.
   * @param {PlanePoint} a
   * @param {PlanePoint} b */
  zoomTo(a, b) {
    const { picture } = this;
    /** @param {number} x
     * @param {number} y
     * @returns {import('../types').Range} */
    const sorted = (x, y) => [Math.min(x, y), Math.max(x, y)];
    picture.setRange(
      Math.abs(a.x - b.x) < MIN_ZOOM ? picture.t : sorted(a.t, b.t),
      Math.abs(a.y - b.y) < MIN_ZOOM ? picture.u : sorted(picture.unit(a.f), picture.unit(b.f)),
    );
  }

  cancel() {
    if (this.press) this.host.preview(null, -1);
    this.host.zoomFrame(null);
    this.press = null;
  }

  // ---------- two fingers zoom and pan

  /** @returns {Pinch} */
  pinchOfFingers() {
    const [a, b] = [...this.fingers.values()];
    return {
      x: (a.clientX + b.clientX) / 2,
      y: (a.clientY + b.clientY) / 2,
      width: Math.max(MIN_PINCH, Math.abs(a.clientX - b.clientX)),
      height: Math.max(MIN_PINCH, Math.abs(a.clientY - b.clientY)),
    };
  }

  /** @param {Pinch} before */
  movePinch(before) {
    if (this.fingers.size < 2) return;
    const now = this.pinchOfFingers();
    const point = this.picture.pointAt({ clientX: now.x, clientY: now.y });
    this.pinch = now;
    this.picture.pan(now.x - before.x, now.y - before.y, point.lane);
    this.picture.zoom(point, before.width / now.width, before.height / now.height);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (!this.picture.scene) return;
    const point = this.picture.pointAt(event);
    if (point.outside) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;
    const { deltaX, deltaY } = event;
    const factor = 2 ** ((deltaY * unit) / 400);
    if (event.shiftKey) this.picture.zoom(point, 1, 2 ** (((deltaY || deltaX) * unit) / 400));
    else if (Math.abs(deltaX) > Math.abs(deltaY)) this.picture.pan(-deltaX * unit, 0);
    else this.picture.zoom(point, factor, event.ctrlKey ? factor : 1);
  }
}
