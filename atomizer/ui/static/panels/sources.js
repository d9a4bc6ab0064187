// Sources of a fill on the picture: the spans of the recording that were copied, each with an arrow
// to the hole that it fills.

import { shapeOf } from '../state/shapes.js';
import * as format from '../util/format.js';

/** @typedef {import('../types').Source} Source */
/** @typedef {import('../types').Range} Range */
/** @typedef {import('../types').Item} Item */
/** @typedef {import('../types').Lane} Lane */

const SVG = 'http://www.w3.org/2000/svg';
const MOST = 3; // spans that are drawn
const LEAST = 0.1; // confidence of a drawn span, as a share of the best one's
const ARCH = 34; // CSS pixels by which an arrow rises above the middle of what it points to
const LEAST_MOVE = 0.01; // seconds: a source that is dragged by less stays where it is
const KEY_SECONDS = 0.05; // by which an arrow key moves a source
const BUTTONS = 2; // of a source: its grip, and its refusal
const HEAD = 6; // CSS pixels: size of an arrow head

/** The sources that are drawn: the best few, spans that overlap a better one left out.
 * @param {Source[]} sources the most important first
 * @returns {Source[]} */
export function drawnSources(sources) {
  const least = LEAST * Math.max(0, ...sources.map(({ confidence }) => confidence));
  /** @type {Source[]} */
  const drawn = [];
  for (const source of sources) {
    const [from, to] = source.source;
    const overlaps = drawn.some(({ source: [a, b] }) => from < b && a < to);
    if (source.confidence >= least && !overlaps) drawn.push(source);
  }
  return drawn.slice(0, MOST);
}

/** Path of an arrow in CSS pixels: an arch from one place to another, with its head.
 * @param {number} from
 * @param {number} to
 * @param {number} y */
export function arrowPath(from, to, y) {
  const [middle, length] = [(from + to) / 2, Math.hypot((to - from) / 2, ARCH)];
  const arch = 'M' + from + ' ' + y + 'Q' + middle + ' ' + (y - ARCH) + ' ' + to + ' ' + y;
  // the head lies along the end of the arch
  const [dx, dy] = [(to - middle) / length, ARCH / length].map((part) => part * HEAD);
  const corner = (/** @type {1 | -1} */ side) =>
    [to - 1.5 * dx + side * dy, y - 1.5 * dy - side * dx].map((p) => +p.toFixed(1)).join(' ');
  return arch + 'M' + corner(1) + 'L' + to + ' ' + y + 'L' + corner(-1);
}

/** Top and bottom of what a selection takes of a lane at a span of time, in CSS pixels of the
 * stage; null for nothing.
 * @param {Item[]} items
 * @param {Range} span seconds
 * @param {Lane} lane
 * @param {(f: number, lane: Lane) => number} yOf
 * @returns {Range | null} */
function bandIn(items, [start, stop], lane, yOf) {
  const [highest, lowest] = [lane.top, lane.top + lane.height];
  let [top, bottom] = [lowest, highest];
  for (const item of items) {
    const isElsewhere = lane.channel !== null && item.channels?.includes(lane.channel) === false;
    if (item.part || item.op === 'subtract' || isElsewhere) continue;
    const { t, f } = shapeOf(item).bounds(item);
    if ((t?.[0] ?? -Infinity) >= stop || (t?.[1] ?? Infinity) <= start) continue;
    top = Math.min(top, f?.[1] == null ? highest : yOf(f[1], lane));
    bottom = Math.max(bottom, f?.[0] == null ? lowest : yOf(f[0], lane));
  }
  [top, bottom] = [Math.max(top, highest), Math.min(bottom, lowest)];
  return top < bottom ? [top, bottom] : null;
}

/** Top and bottom of what a selection takes at a span of time, and the middle of that in the first
 * lane, in CSS pixels of the stage; those of the picture where nothing of it is in sight.
 * @param {Item[]} items
 * @param {Range} span seconds
 * @param {Lane[]} lanes
 * @param {(f: number, lane: Lane) => number} yOf */
export function bandOf(items, span, lanes, yOf) {
  /** @type {Range[]} */
  const bands = [];
  for (const lane of lanes) {
    const band = bandIn(items, span, lane, yOf);
    if (band) bands.push(band);
  }
  const last = lanes[lanes.length - 1];
  if (!bands.length) bands.push([lanes[0].top, last.top + last.height]);
  const [[top, end], [, bottom]] = [bands[0], bands[bands.length - 1]];
  return { top, bottom, middle: (top + end) / 2 };
}

/** By how much a label is moved from the middle of its span to stay in a layer, in CSS pixels; 0
 * for a span out of sight.
 * @param {Range} span left and right edge
 * @param {number} label width
 * @param {number} layer width */
export function labelShift([from, to], label, layer) {
  if (to < 0 || from > layer) return 0;
  const [middle, half] = [(from + to) / 2, label / 2];
  return Math.max(half, Math.min(layer - half, middle)) - middle;
}

/** Rows of labels, from the lowest: none covers another one of its row.
 * @param {Range[]} spans left and right edges of the labels
 * @returns {number[]} */
export function rowsOf(spans) {
  /** @type {number[]} */
  const rows = [];
  spans.forEach(([left, right], k) => {
    const isTaken = (/** @type {number} */ row) =>
      spans.slice(0, k).some(([a, b], other) => rows[other] === row && left < b && a < right);
    let row = 0;
    while (isTaken(row)) row++;
    rows.push(row);
  });
  return rows;
}

/** Index of the button of a layer that has the focus; -1 for none.
 * @param {Element} layer */
const focusedIn = (layer) =>
  [...layer.querySelectorAll('button')].findIndex((button) => button === document.activeElement);

/** Draws sources above the picture. */
export class SourceLayer {
  /** @param {HTMLElement} layer
   * @param {import('../plot/picture.js').Picture} picture
   * @param {object} host
   * @param {(span: Range) => void} host.moved the hole is to be filled from another span
   * @param {(span: Range) => void} host.refused the hole is to be filled without this span */
  constructor(layer, picture, host) {
    this.layer = layer;
    this.picture = picture;
    this.host = host;
    this.isDragged = false;
    this.drawn = '';
    /** Index of the button that had the focus when it was taken away; -1 for none. */
    this.lastFocused = -1;
    /** @type {Source[]} */
    this.sources = [];
    /** @type {Item[]} what they fill */
    this.items = [];
  }

  /** Show sources; an empty list hides all.
   * @param {Source[]} sources
   * @param {Item[]} items the selection that they fill */
  show(sources, items) {
    this.sources = drawnSources(sources);
    this.items = items;
    this.draw();
  }

  /** Draw sources where they are, also one that was moved. */
  putBack() {
    this.drawn = '';
    this.draw();
  }

  /** Draw again after the visible range or the size has changed. */
  draw() {
    const { layer, picture, sources } = this;
    const { t, u, left, width } = picture;
    if (this.isDragged) return;
    this.keepFocus();
    layer.hidden = !sources.length;
    if (layer.hidden) return;
    // a redraw of the same must not replace a button that is being pressed
    const key = JSON.stringify([sources, this.items, picture.lanes(), t, u, left, width]);
    if (key !== this.drawn) this.replace();
    this.drawn = key;
    this.giveFocusBack();
  }

  /** Make the elements of all sources. */
  replace() {
    const { layer, picture, sources } = this;
    Object.assign(layer.style, {
      left: picture.left + 'px',
      width: picture.width + 'px',
    });
    const arrows = document.createElementNS(SVG, 'svg');
    arrows.setAttribute('aria-hidden', 'true');
    const boxes = sources.map((source, k) => this.spanOf(source, k));
    layer.replaceChildren(arrows, ...boxes);
    const labels = boxes.map((box) => this.keepLabel(box));
    rowsOf(labels).forEach((row, k) => boxes[k].style.setProperty('--row', String(row)));
    arrows.append(...sources.map((source) => this.arrowOf(source)));
  }

  /** Draw a source at another place, with its arrow and no other source: that is what its fill will
   * be made of.
   * @param {number} index of the source
   * @param {number} seconds by which it is moved; 0 shows the others again */
  showMoved(index, seconds) {
    const { layer, picture, sources } = this;
    const [arrows, ...boxes] = /** @type {HTMLElement[]} */ ([...layer.children]);
    const [from, to] = sources[index].source;
    const moved = {
      ...sources[index],
      source: /** @type {Range} */ ([from + seconds, to + seconds]),
    };
    [...arrows.children].forEach((arrow, k) => {
      if (k === index) arrow.replaceWith(this.arrowOf(moved));
      else arrow.setAttribute('opacity', seconds ? '0' : '1');
    });
    boxes.forEach((box, k) => {
      if (k === index) box.style.left = picture.x(from + seconds) - picture.left + 'px';
      else box.style.visibility = seconds ? 'hidden' : '';
    });
  }

  /** The arrow of a source.
   * @param {Source} source */
  arrowOf(source) {
    const from = this.middleOf(source.source);
    const to = this.nearEdgeOf(source.target, from);
    const arrow = document.createElementNS(SVG, 'g');
    for (const name of ['halo', 'arrow']) {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('class', name);
      path.setAttribute('d', arrowPath(from, to, this.bandAt(source).middle));
      path.style.opacity = String(this.strengthOf(source));
      arrow.append(path);
    }
    return arrow;
  }

  /** Remember which button has the focus, which it loses where the layer is hidden or drawn again;
   * forget it once the focus is elsewhere. */
  keepFocus() {
    const index = focusedIn(this.layer);
    if (index >= 0 || document.activeElement !== document.body) this.lastFocused = index;
  }

  /** Give the focus back to the button that had it: a new fill has other sources, maybe fewer. */
  giveFocusBack() {
    if (this.lastFocused < 0) return;
    const buttons = [...this.layer.querySelectorAll('button')];
    const last = buttons.length - BUTTONS + (this.lastFocused % BUTTONS);
    buttons[Math.min(this.lastFocused, last)].focus({ preventScroll: true });
    this.lastFocused = -1;
  }

  /** Position of the middle of a span, in CSS pixels of the layer.
   * @param {Range} span */
  middleOf([from, to]) {
    return this.picture.x((from + to) / 2) - this.picture.left;
  }

  /** Position of the edge of a span that an arrow from `x` reaches first.
   * @param {Range} span
   * @param {number} x */
  nearEdgeOf(span, x) {
    const [from, to] = span.map((t) => this.picture.x(t) - this.picture.left);
    return x < from ? from : to;
  }

  /** Where the atoms lie that a source fills, in CSS pixels of the layer.
   * @param {Source} source */
  bandAt({ target }) {
    const { picture } = this;
    const lanes = picture.lanes();
    const band = bandOf(this.items, target, lanes, (f, lane) => picture.y(f, lane));
    const [top, bottom, middle] = [band.top, band.bottom, band.middle].map((y) => y - lanes[0].top);
    return { top, bottom, middle };
  }

  /** Opacity of a source: the best one is opaque.
   * @param {Source} source */
  strengthOf({ confidence }) {
    return 0.35 + 0.65 * (confidence / Math.max(this.sources[0].confidence, 1e-9));
  }

  /** The box of a source.
   * @param {Source} source
   * @param {number} index */
  spanOf(source, index) {
    const { picture } = this;
    const [from, to] = source.source;
    const box = document.createElement('div');
    box.className = 'source';
    Object.assign(box.style, {
      left: picture.x(from) - picture.left + 'px',
      width: Math.max(2, picture.x(to) - picture.x(from)) + 'px',
    });
    const { top, bottom } = this.bandAt(source);
    box.style.setProperty('--strength', String(this.strengthOf(source)));
    box.style.setProperty('--top', top + 'px');
    box.style.setProperty('--height', bottom - top + 'px');
    const label = document.createElement('span');
    label.append(this.gripOf(source, index, box), this.refusalOf(source));
    box.append(label);
    return box;
  }

  /** Keep the label of a box, which may be wider than the box, in sight; returns its edges.
   * @param {HTMLElement} box
   * @returns {Range} */
  keepLabel(box) {
    const label = /** @type {HTMLElement} */ (box.lastElementChild);
    const [left, width] = [box.offsetLeft, box.offsetWidth];
    const shift = labelShift([left, left + width], label.offsetWidth, this.layer.clientWidth);
    label.style.setProperty('--shift', shift + 'px');
    const middle = left + width / 2 + shift;
    return [middle - label.offsetWidth / 2, middle + label.offsetWidth / 2];
  }

  /** The words of a source, by which it is dragged to another place; arrow keys move it, too, and
   * Enter copies from there.
   * @param {Source} source
   * @param {number} index
   * @param {HTMLElement} box */
  gripOf({ source }, index, box) {
    const { picture, host } = this;
    const [from, to] = source;
    const grip = document.createElement('button');
    let moved = 0; // seconds
    let start = 0; // CSS pixels
    const move = (/** @type {number} */ seconds) => {
      moved = Math.min(picture.duration - to, Math.max(-from, seconds));
      const words = moved ? 'copy from ' : 'copied from ';
      grip.textContent = words + format.span([from + moved, to + moved], format.seconds);
      if (!box.isConnected) return;
      this.showMoved(index, moved);
      this.keepLabel(box);
    };
    const apply = () => {
      this.isDragged = false;
      if (Math.abs(moved) >= LEAST_MOVE) host.moved([from + moved, to + moved]);
    };
    Object.assign(grip, { type: 'button', title: 'Drag it to copy from another place' });
    grip.addEventListener('pointerdown', (event) => {
      event.stopPropagation();
      grip.setPointerCapture(event.pointerId);
      this.isDragged = true;
      start = event.clientX;
    });
    grip.addEventListener('pointermove', (event) => {
      const pixels = event.clientX - start;
      if (this.isDragged) move((pixels / picture.width) * (picture.t[1] - picture.t[0]));
    });
    grip.addEventListener('pointerup', apply);
    grip.addEventListener('pointercancel', () => {
      this.isDragged = false;
      move(0);
    });
    grip.addEventListener('keydown', (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (way) move(moved + way * (event.shiftKey ? 10 : 1) * KEY_SECONDS);
      else if (event.key === 'Enter') apply();
      else return;
      event.preventDefault();
      event.stopPropagation(); // these keys also seek and play
    });
    move(0);
    return grip;
  }

  /** The button that fills the hole without a source.
   * @param {Source} source */
  refusalOf({ source }) {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', textContent: '×', title: 'Not from here' });
    button.setAttribute('aria-label', 'Not from ' + format.span(source, format.seconds));
    button.addEventListener('pointerdown', (event) => event.stopPropagation());
    button.addEventListener('click', () => this.host.refused(source));
    return button;
  }
}
