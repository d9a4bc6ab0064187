// The outlines of the regions above the picture, with grips where they can be moved, and the brush under the pointer.

import { boundsOf } from '../state/selection.js';

const SVG = 'http://www.w3.org/2000/svg';

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

export class Overlay {
  constructor(svg, picture) {
    Object.assign(this, { svg, picture });
    this.clips = element('defs', {}, svg);
    this.shapes = element('g', {}, svg);
    this.cursor = element('ellipse', { class: 'cursor', visibility: 'hidden' }, svg);
    this.rubber = element('rect', { class: 'rubber', visibility: 'hidden' }, svg);
  }

  /** items to outline; `active` is the index of the chosen one, which gets grips where `grips`. */
  draw(items, active, grips) {
    const { picture } = this;
    this.clips.replaceChildren();
    this.shapes.replaceChildren();
    if (!picture.scene) return;
    picture.lanes().forEach((lane, k) => {
      const clip = element('clipPath', { id: 'lane-' + k }, this.clips);
      element(
        'rect',
        { x: picture.left, y: lane.top, width: picture.width, height: lane.height },
        clip,
      );
      const group = element('g', { 'clip-path': 'url(#lane-' + k + ')' }, this.shapes);
      items.forEach((item, index) => {
        if (
          item.part ||
          item.everything ||
          (lane.channel !== null && item.channels && !item.channels.includes(lane.channel))
        )
          return;
        this.outline(item, lane, group, index === active);
        if (index === active && grips) this.grips(item, lane, group);
      });
    });
  }

  outline(item, lane, group, active) {
    const { picture } = this,
      name = 'region ' + (item.op === 'subtract' ? 'subtract ' : '') + (active ? 'active' : '');
    if (item.kind === 'rect') {
      const box = this.box(item, lane);
      element('rect', { class: name, ...box }, group);
    } else if (item.kind === 'lasso') {
      element(
        'path',
        {
          class: name,
          d:
            'M' +
            item.points.map(([t, f]) => picture.x(t) + ',' + picture.y(f, lane)).join('L') +
            'Z',
        },
        group,
      );
    } else this.strokes(item, lane, group, name);
  }

  /** The strokes of a brush, one per partial: a wash, and its outline, which is the strokes less the same strokes of a finer pen. */
  strokes(item, lane, group, name) {
    const { picture } = this,
      id = 'pen-' + this.clips.childElementCount,
      edge = name.includes('active') ? 2 : 1.25;
    const mask = element(
      'mask',
      {
        id,
        maskUnits: 'userSpaceOnUse',
        x: picture.left,
        y: lane.top,
        width: picture.width,
        height: lane.height,
      },
      this.clips,
    );
    element(
      'rect',
      { x: picture.left, y: lane.top, width: picture.width, height: lane.height, fill: '#fff' },
      mask,
    );
    const wash = element('g', { class: name + ' strokes wash' }, group),
      line = element('g', { class: name + ' strokes', mask: 'url(#' + id + ')' }, group);
    for (let n = 1; n <= (item.harmonics || 1); n++) {
      const pen = this.pen(item, n, lane);
      for (const parent of [wash, line]) this.stroke(pen, 0, parent);
      if (Math.min(pen.rx, pen.ry) > edge) this.stroke(pen, edge, mask, { stroke: '#000' });
    }
  }

  /** The line of a stroke in pixels, and the radii of its elliptic pen. */
  pen(item, multiple, lane) {
    const { picture } = this,
      points = item.points.map(([t, f]) => [t, f * multiple]),
      middle = points[points.length >> 1][1],
      [dt, df] = item.size;
    const above = item.scale === 'log' ? middle * 2 ** df : middle + df;
    return {
      line: points.map(([t, f]) => [picture.x(t), picture.y(f, lane)]),
      rx: Math.max(1, picture.x(dt) - picture.x(0)),
      ry: Math.max(1, picture.y(middle, lane) - picture.y(above, lane)),
    };
  }

  /** A line drawn with an elliptic pen that is finer by some pixels, by stretching a round one. */
  stroke({ line, rx, ry }, finer, parent, attributes = {}) {
    const w = rx - finer,
      h = ry - finer,
      d = line.map(([x, y]) => x / w + ',' + y / h);
    if (d.length === 1) d.push(d[0]);
    element(
      'path',
      {
        d: 'M' + d.join('L'),
        transform: 'scale(' + w + ',' + h + ')',
        'stroke-width': 2,
        'stroke-linecap': 'round',
        'stroke-linejoin': 'round',
        ...attributes,
      },
      parent,
    );
  }

  box(item, lane) {
    const { picture } = this,
      { t, f } = boundsOf(item),
      out = 4;
    const x0 = t && t[0] != null ? picture.x(t[0]) : picture.left - out,
      x1 = t && t[1] != null ? picture.x(t[1]) : picture.left + picture.width + out;
    const y0 = f && f[1] != null ? picture.y(f[1], lane) : lane.top - out,
      y1 = f && f[0] != null ? picture.y(f[0], lane) : lane.top + lane.height + out;
    return { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0) };
  }

  grips(item, lane, group) {
    const { x, y, width, height } = this.box(item, lane);
    for (const across of [0, 0.5, 1]) {
      for (const along of [0, 0.5, 1]) {
        if (across === 0.5 && along === 0.5) continue;
        element(
          'rect',
          {
            class: 'grip',
            x: x + across * width - 4,
            y: y + along * height - 4,
            width: 8,
            height: 8,
            rx: 2,
          },
          group,
        );
      }
    }
    if (item.kind !== 'rect')
      element('rect', { class: 'region bounds', x, y, width, height }, group);
  }

  /** The brush under the pointer; null hides it. */
  showCursor(point, radius) {
    this.cursor.setAttribute('visibility', point ? 'visible' : 'hidden');
    if (point)
      for (const [key, value] of Object.entries({
        cx: point.x,
        cy: point.y,
        rx: radius,
        ry: radius,
      }))
        this.cursor.setAttribute(key, value);
  }

  /** The frame that will be zoomed into. */
  showFrame(a, b) {
    this.rubber.setAttribute('visibility', a ? 'visible' : 'hidden');
    if (!a) return;
    const box = {
      x: Math.min(a.x, b.x),
      y: Math.min(a.y, b.y),
      width: Math.abs(a.x - b.x),
      height: Math.abs(a.y - b.y),
    };
    for (const [key, value] of Object.entries(box)) this.rubber.setAttribute(key, value);
  }
}
