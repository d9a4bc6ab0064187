// What a mouse, a pen or fingers do in the picture: draw regions, move and resize them, zoom, pan, hover, seek.

import { boundsOf, harmonicsBelow, transformed } from '../state/selection.js';

export const DRAWING = ['box', 'lasso', 'brush', 'harmonics'];
export const TOOLS = [...DRAWING, 'move', 'zoom', 'pan'];
const CLICK = 4,
  GRIP = 9,
  STEP = 3,
  MOST_POINTS = 1500; // CSS pixels, and points of a line

/** Distance in seconds and in the units of a brush that `radius` CSS pixels are at a point. */
export function brushSize(picture, point, radius, scale) {
  const seconds = Math.abs(picture.secondsAt(point.x + radius) - picture.secondsAt(point.x));
  const above = picture.hertzAt(point.y - radius, point.lane),
    below = Math.max(picture.hertzAt(point.y + radius, point.lane), 1);
  return [
    seconds,
    scale === 'log'
      ? Math.max(Math.log2(above / below) / 2, 1e-3)
      : Math.max((above - below) / 2, 1),
  ];
}

/** The region that a tool has drawn through points of the plane, or null where it is too small to be meant. */
export function drawn(tool, points, picture, { op, radius, most, travel }) {
  const first = points[0],
    last = points[points.length - 1],
    channels = first.lane.channel === null ? {} : { channels: [first.lane.channel] };
  const pairs = points.map((p) => [p.t, p.f]),
    scale = picture.scale === 'linear' ? 'linear' : 'log';
  if (tool === 'box') {
    if (Math.abs(last.x - first.x) < 3 || Math.abs(last.y - first.y) < 3) return null;
    return {
      kind: 'rect',
      op,
      ...channels,
      t: [Math.min(first.t, last.t), Math.max(first.t, last.t)],
      f: [Math.min(first.f, last.f), Math.max(first.f, last.f)],
    };
  }
  if (tool === 'lasso')
    return pairs.length < 3 || travel <= CLICK
      ? null
      : { kind: 'lasso', op, ...channels, points: pairs, scale };
  if (tool === 'brush')
    return {
      kind: 'brush',
      op,
      ...channels,
      points: pairs,
      size: brushSize(picture, first, radius, scale),
      scale,
    };
  const top = picture.scene.sound_rate / 2;
  return {
    kind: 'brush',
    op,
    ...channels,
    points: pairs,
    size: brushSize(picture, first, radius, 'linear'),
    scale: 'linear',
    harmonics: harmonicsBelow(pairs, top, most),
  };
}

/** Which part of a region lies under a point: "move", or the edges that it is near, such as "left top"; "" for none. */
export function gripOf(item, point, picture) {
  if (item.part || item.everything) return '';
  if (point.lane.channel !== null && item.channels && !item.channels.includes(point.lane.channel))
    return '';
  const { t, f } = boundsOf(item);
  if (!t && !f) return '';
  const side = (value, from, to, a, b) => {
    if (value < from - GRIP || value > to + GRIP) return null;
    const nearA = Math.abs(value - from) <= GRIP,
      nearB = Math.abs(value - to) <= GRIP;
    if (nearA && nearB) return Math.abs(value - from) < Math.abs(value - to) ? a : b;
    return nearA ? a : nearB ? b : '';
  };
  const across = t
    ? side(
        point.x,
        t[0] == null ? -1e9 : picture.x(t[0]),
        t[1] == null ? 1e9 : picture.x(t[1]),
        'left',
        'right',
      )
    : '';
  const along = f
    ? side(
        point.y,
        f[1] == null ? -1e9 : picture.y(f[1], point.lane),
        f[0] == null ? 1e9 : picture.y(f[0], point.lane),
        'top',
        'bottom',
      )
    : '';
  if (across === null || along === null) return '';
  return [across, along].filter(Boolean).join(' ') || 'move';
}

/** A region after its grip was dragged from one point to another; a brush is stretched along with its stroke. */
export function dragged(item, grip, from, to, picture) {
  const { t, f } = boundsOf(item),
    dt = to.t - from.t,
    du = picture.unit(to.f) - picture.unit(from.f),
    limit = (v) => Math.max(v, 1e-3);
  const shift = (hertz) => limit(picture.hertz(picture.unit(hertz) + du));
  if (grip === 'move') return transformed(item, (v) => v + dt, shift);
  // an edge is dragged: everything keeps its share of the way to the edge that stays
  const stretch = (low, high, lower, value, delta) => {
    const size = high - low || 1e-9,
      next = lower ? size - delta : size + delta;
    return lower ? high - ((high - value) / size) * next : low + ((value - low) / size) * next;
  };
  const same = (v) => v,
    open = (span) => span[0] == null || span[1] == null,
    left = grip.includes('left'),
    bottom = grip.includes('bottom');
  const time =
    !left && !grip.includes('right')
      ? same
      : (v) => (open(t) ? v + dt : stretch(t[0], t[1], left, v, dt));
  const [low, high] = f && !open(f) ? f.map((v) => picture.unit(v)) : [],
    stays = f && f[bottom ? 1 : 0];
  const raised = (v) =>
    v === stays ? v : limit(picture.hertz(stretch(low, high, bottom, picture.unit(v), du)));
  const frequency = !bottom && !grip.includes('top') ? same : open(f) ? shift : raised;
  const out = transformed(item, time, frequency);
  if (!item.size) return out;
  // a brush of no size would be none
  const growth = (span, change, height) =>
    Math.max(
      1e-3,
      Math.abs(
        (height(change(span[1])) - height(change(span[0]))) / (height(span[1]) - height(span[0])),
      ),
    );
  return {
    ...out,
    size: [
      item.size[0] * growth(t, time, same),
      item.size[1] * growth(f, frequency, item.scale === 'log' ? Math.log2 : same),
    ],
  };
}

/**
 * A region after an arrow key, across (-1, 0 or 1) or along the frequencies: moved by a fiftieth of what is seen, or, to `resize` it, only its end or its top.
 * Null where it has no such edge, or nothing would be left of it.
 */
export function nudged(item, across, along, resize, picture) {
  const step = ([from, to]) => (to - from) / 50,
    dt = across * step(picture.t),
    du = along * step(picture.u);
  const { t, f } = boundsOf(item),
    span = across ? t : f && f.map((v) => (v == null ? null : picture.unit(v)));
  if (!span || (resize && span[0] != null && span[1] != null && span[1] - span[0] + dt + du <= 0))
    return null;
  const middle = (picture.u[0] + picture.u[1]) / 2,
    from = { t: 0, f: picture.hertz(middle) },
    to = { t: dt, f: picture.hertz(middle + du) };
  return dragged(item, !resize ? 'move' : across ? 'right' : 'top', from, to, picture);
}

/**
 * Listens to the stage. `host` answers: tool(), op(event), items(), radius(), most(), and is told: preview(item or null, index),
 * add(item), edit(index, item), choose(index), seek(seconds), hover(point or null), press().
 */
export class Pointer {
  constructor(stage, picture, host) {
    Object.assign(this, { stage, picture, host, fingers: new Map(), press: null, pinch: null });
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

  down(event) {
    if (!this.picture.scene || event.button) return;
    event.preventDefault();
    this.host.press();
    this.stage.closest('.atom-view').focus({ preventScroll: true });
    this.fingers.set(event.pointerId, event);
    try {
      this.stage.setPointerCapture(event.pointerId);
    } catch {
      /* a pointer that is gone already */
    }
    if (this.fingers.size === 2) {
      this.cancel();
      this.pinch = this.spread();
      return;
    }
    const point = this.picture.at(event),
      tool = this.host.tool();
    this.press = {
      tool,
      point,
      last: point,
      points: [point],
      travel: 0,
      op: this.host.op(event),
      index: -1,
      grip: '',
    };
    if (tool === 'move') this.grab();
  }

  /** Take hold of the topmost region under the pointer. */
  grab() {
    const { press } = this,
      items = this.host.items();
    for (let index = items.length - 1; index >= 0 && !press.grip; index--) {
      press.grip = gripOf(items[index], press.point, this.picture);
      if (press.grip) Object.assign(press, { index, item: items[index] });
    }
    this.host.choose(press.index);
  }

  move(event) {
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, event);
    if (this.pinch) return this.pinched();
    const point = this.picture.at(event, this.press && this.press.point.lane),
      { press } = this;
    if (!press) return this.host.hover(point.outside ? null : point);
    press.travel = Math.max(
      press.travel,
      Math.hypot(point.x - press.point.x, point.y - press.point.y),
    );
    if (press.tool === 'pan')
      this.picture.pan(point.x - press.last.x, point.y - press.last.y, press.point.lane);
    const far = Math.hypot(point.x - press.last.x, point.y - press.last.y) >= STEP;
    if (far && press.points.length < MOST_POINTS && press.tool !== 'box') press.points.push(point);
    if (far || press.tool === 'pan') press.last = point;
    press.now = point;
    if (!this.waiting)
      this.waiting = requestAnimationFrame(() => {
        this.waiting = 0;
        this.preview();
      });
    return undefined;
  }

  shape() {
    const { press } = this,
      points =
        press.tool === 'box' || press.tool === 'zoom'
          ? [press.point, press.now || press.point]
          : press.points;
    return drawn(press.tool === 'zoom' ? 'box' : press.tool, points, this.picture, {
      op: press.op,
      radius: this.host.radius(),
      most: this.host.most(),
      travel: press.travel,
    });
  }

  preview() {
    const { press } = this;
    if (!press || press.travel <= CLICK) return;
    if (press.tool === 'move' && press.grip)
      this.host.preview(
        dragged(press.item, press.grip, press.point, press.now, this.picture),
        press.index,
      );
    else if (DRAWING.includes(press.tool)) this.host.preview(this.shape(), -1);
    else if (press.tool === 'zoom') this.host.frame(press.point, press.now);
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.pinch) {
      if (!this.fingers.size) this.pinch = null;
      return;
    }
    const { press } = this;
    if (!press) return;
    this.press = null;
    const dab = ['brush', 'harmonics'].includes(press.tool),
      click = press.travel <= CLICK && !dab;
    if (click) {
      this.host.preview(null, -1);
      if (press.index < 0 && !press.point.outside) this.host.seek(press.point.t);
    } else if (press.tool === 'move') {
      if (press.grip)
        this.host.edit(
          press.index,
          dragged(press.item, press.grip, press.point, press.now, this.picture),
        );
    } else if (press.tool === 'zoom') {
      this.host.frame(null);
      this.closeUp(press.point, press.now);
    } else if (DRAWING.includes(press.tool)) {
      this.press = press;
      const item = this.shape();
      this.press = null;
      if (item) this.host.add(item);
      else this.host.preview(null, -1);
    }
  }

  closeUp(a, b) {
    const { picture } = this,
      sorted = (x, y) => [Math.min(x, y), Math.max(x, y)];
    // a flat or a narrow drag zooms along one axis only
    picture.look(
      Math.abs(a.x - b.x) < 8 ? picture.t : sorted(a.t, b.t),
      Math.abs(a.y - b.y) < 8 ? picture.u : sorted(picture.unit(a.f), picture.unit(b.f)),
    );
  }

  cancel() {
    if (this.press) this.host.preview(null, -1);
    this.host.frame(null);
    this.press = null;
  }

  // two fingers zoom and pan

  spread() {
    const [a, b] = [...this.fingers.values()],
      x = (a.clientX + b.clientX) / 2,
      y = (a.clientY + b.clientY) / 2;
    return {
      x,
      y,
      width: Math.max(24, Math.abs(a.clientX - b.clientX)),
      height: Math.max(24, Math.abs(a.clientY - b.clientY)),
    };
  }

  pinched() {
    if (this.fingers.size < 2) return;
    const now = this.spread(),
      before = this.pinch,
      point = this.picture.at({ clientX: now.x, clientY: now.y });
    this.pinch = now;
    this.picture.pan(now.x - before.x, now.y - before.y, point.lane);
    this.picture.zoom(point, before.width / now.width, before.height / now.height);
  }

  wheel(event) {
    if (!this.picture.scene) return;
    const point = this.picture.at(event);
    if (point.outside) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1,
      factor = 2 ** ((event.deltaY * unit) / 400);
    if (event.shiftKey)
      this.picture.zoom(point, 1, 2 ** (((event.deltaY || event.deltaX) * unit) / 400));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY))
      this.picture.pan(-event.deltaX * unit, 0);
    else this.picture.zoom(point, factor, event.ctrlKey ? factor : 1);
  }
}
