// Outlines of the regions above the plot, with handles for resizing, and the brush at the pointer.

import { shapeOf } from '../state/shapes.js';

/** @typedef {import('../types').Item} Item */
/** @typedef {import('../types').Lane} Lane */
/** @typedef {import('../types').PlanePoint} PlanePoint */
/** @typedef {import('../state/shapes.js').Bounds} Bounds */

const SVG = 'http://www.w3.org/2000/svg';
const HANDLE = 8; // CSS pixels
const NARROW = 6; // CSS pixels: boxes below this have thin outlines, which would hide the picture
const OUTSIDE = 4; // CSS pixels by which edges without a limit lie outside of the lane

/** Add an SVG element to a parent.
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {Element} parent */
function addElement(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  setAttributes(made, attributes);
  parent.append(made);
  return made;
}

/** @param {Element} element
 * @param {Record<string, string | number>} attributes */
function setAttributes(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
}

/** The SVG above the plot. */
export class Overlay {
  /** @param {SVGElement} svg
   * @param {import('./picture.js').Picture} picture */
  constructor(svg, picture) {
    this.svg = svg;
    this.picture = picture;
    this.clips = addElement('defs', {}, svg);
    this.shapes = addElement('g', {}, svg);
    this.cursor = addElement('ellipse', { class: 'cursor', visibility: 'hidden' }, svg);
    this.zoomFrame = addElement('rect', { class: 'zoom-frame', visibility: 'hidden' }, svg);
  }

  /** Outline items; the active one gets handles if `withHandles`.
   * @param {Item[]} items
   * @param {number} active index
   * @param {boolean} withHandles */
  draw(items, active, withHandles) {
    this.clips.replaceChildren();
    this.shapes.replaceChildren();
    if (!this.picture.scene) return;
    this.picture.lanes().forEach((lane, k) => {
      const clip = addElement('clipPath', { id: 'lane-' + k }, this.clips);
      addElement('rect', this.laneBox(lane), clip);
      const group = addElement('g', { 'clip-path': 'url(#lane-' + k + ')' }, this.shapes);
      items.forEach((item, index) => {
        if (item.part || item.everything) return;
        if (lane.channel !== null && item.channels && !item.channels.includes(lane.channel)) return;
        this.drawOutline(item, lane, group, index === active);
        if (index === active && withHandles) this.drawHandles(item, lane, group);
      });
    });
  }

  /** @param {Lane} lane */
  laneBox({ top, height }) {
    return { x: this.picture.left, y: top, width: this.picture.width, height };
  }

  /** @param {Item} item
   * @param {Lane} lane
   * @param {Element} group
   * @param {boolean} active */
  drawOutline(item, lane, group, active) {
    const { picture } = this;
    const name = 'region ' + (item.op === 'subtract' ? 'subtract ' : '') + (active ? 'active' : '');
    const pens = [];
    const project = {
      x: (/** @type {number} */ t) => picture.x(t),
      y: (/** @type {number} */ f) => picture.y(f, lane),
    };
    for (const part of shapeOf(item).outline(item, project)) {
      if ('box' in part) this.drawBox(this.box(part.box, lane), group, name);
      else if ('polygon' in part)
        addElement('path', { class: name, d: 'M' + part.polygon.join('L') + 'Z' }, group);
      else pens.push(part);
    }
    if (pens.length) this.drawPens(pens, lane, group, name);
  }

  /** @param {{x: number, y: number, width: number, height: number}} box
   * @param {Element} group
   * @param {string} name */
  drawBox(box, group, name) {
    const isNarrow = Math.min(box.width, box.height) < NARROW;
    addElement('rect', { class: name + (isNarrow ? ' narrow' : ''), ...box }, group);
  }

  /** Lines drawn with elliptic pens: a wash, and an outline. The outline is the lines without the
   * same lines of a finer pen.
   * @param {{line: number[][], rx: number, ry: number}[]} pens
   * @param {Lane} lane
   * @param {Element} group
   * @param {string} name */
  drawPens(pens, lane, group, name) {
    const id = 'pen-' + this.clips.childElementCount;
    const edge = name.includes('active') ? 2 : 1.25;
    const box = this.laneBox(lane);
    const mask = addElement('mask', { id, maskUnits: 'userSpaceOnUse', ...box }, this.clips);
    addElement('rect', { ...box, fill: '#fff' }, mask);
    const wash = addElement('g', { class: name + ' strokes wash' }, group);
    const lines = addElement('g', { class: name + ' strokes', mask: 'url(#' + id + ')' }, group);
    for (const pen of pens) {
      for (const parent of [wash, lines]) this.drawPen(pen, 0, parent);
      if (Math.min(pen.rx, pen.ry) > edge) this.drawPen(pen, edge, mask, { stroke: '#000' });
    }
  }

  /** A line with an elliptic pen: a stretched line with a round one.
   * @param {{line: number[][], rx: number, ry: number}} pen
   * @param {number} finer pixels by which the pen is finer
   * @param {Element} parent
   * @param {Record<string, string>} [attributes] */
  drawPen({ line, rx, ry }, finer, parent, attributes = {}) {
    const [w, h] = [rx - finer, ry - finer];
    const points = line.map(([x, y]) => x / w + ',' + y / h);
    if (points.length === 1) points.push(points[0]);
    addElement(
      'path',
      {
        d: 'M' + points.join('L'),
        transform: 'scale(' + w + ',' + h + ')',
        'stroke-width': 2,
        'stroke-linecap': 'round',
        'stroke-linejoin': 'round',
        ...attributes,
      },
      parent,
    );
  }

  /** Pixels of bounds in a lane.
   * @param {Bounds} bounds
   * @param {Lane} lane */
  box({ t, f }, lane) {
    const { picture } = this;
    const x0 = t?.[0] != null ? picture.x(t[0]) : picture.left - OUTSIDE;
    const x1 = t?.[1] != null ? picture.x(t[1]) : picture.left + picture.width + OUTSIDE;
    const y0 = f?.[1] != null ? picture.y(f[1], lane) : lane.top - OUTSIDE;
    const y1 = f?.[0] != null ? picture.y(f[0], lane) : lane.top + lane.height + OUTSIDE;
    return { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0) };
  }

  /** @param {Item} item
   * @param {Lane} lane
   * @param {Element} group */
  drawHandles(item, lane, group) {
    const { x, y, width, height } = this.box(shapeOf(item).bounds(item), lane);
    for (const across of [0, 0.5, 1]) {
      for (const along of [0, 0.5, 1]) {
        if (across === 0.5 && along === 0.5) continue;
        const corner = {
          x: x + across * width - HANDLE / 2,
          y: y + along * height - HANDLE / 2,
        };
        const size = { width: HANDLE, height: HANDLE, rx: 2 };
        addElement('rect', { class: 'handle', ...corner, ...size }, group);
      }
    }
    if (item.kind !== 'rect')
      addElement('rect', { class: 'region bounds', x, y, width, height }, group);
  }

  /** Show the brush at the pointer; null hides it.
   * @param {PlanePoint | null} point
   * @param {number} [radius] */
  showCursor(point, radius = 0) {
    this.cursor.setAttribute('visibility', point ? 'visible' : 'hidden');
    if (point) setAttributes(this.cursor, { cx: point.x, cy: point.y, rx: radius, ry: radius });
  }

  /** Show the frame to zoom into; null hides it.
   * @param {PlanePoint | null} a
   * @param {PlanePoint} [b] */
  showZoomFrame(a, b) {
    this.zoomFrame.setAttribute('visibility', a ? 'visible' : 'hidden');
    if (!a || !b) return;
    setAttributes(this.zoomFrame, {
      x: Math.min(a.x, b.x),
      y: Math.min(a.y, b.y),
      width: Math.abs(a.x - b.x),
      height: Math.abs(a.y - b.y),
    });
  }
}
