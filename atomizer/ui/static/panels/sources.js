// Sources of a fill on the picture: the spans of the recording that were copied, each with an arrow
// to the hole that it fills.

import * as format from '../util/format.js';

/** @typedef {import('../types').Source} Source */
/** @typedef {import('../types').Range} Range */

const SVG = 'http://www.w3.org/2000/svg';
const MOST = 3; // spans that are drawn
const LEAST = 0.1; // confidence of a drawn span, as a share of the best one's
const ARCH = 34; // CSS pixels by which an arrow rises above the middle of the picture
const LEAST_MOVE = 0.01; // seconds: a source that is dragged by less stays where it is
const KEY_SECONDS = 0.05; // by which an arrow key moves a source
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
  const way = to < from ? -1 : 1;
  const [back, side] = [to - way * HEAD * 1.5, HEAD];
  const arch = 'M' + from + ' ' + y + 'Q' + (from + to) / 2 + ' ' + (y - ARCH) + ' ' + to + ' ' + y;
  return arch + 'M' + back + ' ' + (y - side) + 'L' + to + ' ' + y + 'L' + back + ' ' + (y + side);
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
    /** @type {Source[]} */
    this.sources = [];
  }

  /** Show sources; an empty list hides all.
   * @param {Source[]} sources */
  show(sources) {
    this.sources = drawnSources(sources);
    this.draw();
  }

  /** Draw again after the visible range or the size has changed. */
  draw() {
    const { layer, picture, sources } = this;
    const { t, left, width } = picture;
    if (this.isDragged) return;
    layer.hidden = !sources.length;
    if (layer.hidden) return;
    // a redraw of the same must not replace a button that is being pressed
    const key = JSON.stringify([sources, t, left, width, layer.clientHeight]);
    if (key === this.drawn) return;
    this.drawn = key;
    Object.assign(layer.style, {
      left: picture.left + 'px',
      width: picture.width + 'px',
    });
    const arrows = document.createElementNS(SVG, 'svg');
    arrows.setAttribute('aria-hidden', 'true');
    const boxes = sources.map((source) => this.spanOf(source));
    layer.replaceChildren(arrows, ...boxes);
    for (const box of boxes) this.keepLabel(box);
    for (const source of sources) {
      const [from, to] = [source.source, source.target].map((span) => this.middleOf(span));
      for (const name of ['halo', 'arrow']) {
        const path = document.createElementNS(SVG, 'path');
        path.setAttribute('class', name);
        path.setAttribute('d', arrowPath(from, to, layer.clientHeight / 2));
        path.style.opacity = String(this.strengthOf(source));
        arrows.append(path);
      }
    }
  }

  /** Position of the middle of a span, in CSS pixels of the layer.
   * @param {Range} span */
  middleOf([from, to]) {
    return this.picture.x((from + to) / 2) - this.picture.left;
  }

  /** Opacity of a source: the best one is opaque.
   * @param {Source} source */
  strengthOf({ confidence }) {
    return 0.35 + 0.65 * (confidence / Math.max(this.sources[0].confidence, 1e-9));
  }

  /** The box of a source.
   * @param {Source} source */
  spanOf(source) {
    const { picture } = this;
    const [from, to] = source.source;
    const box = document.createElement('div');
    box.className = 'source';
    Object.assign(box.style, {
      left: picture.x(from) - picture.left + 'px',
      width: Math.max(2, picture.x(to) - picture.x(from)) + 'px',
    });
    box.style.setProperty('--strength', String(this.strengthOf(source)));
    const label = document.createElement('span');
    label.append(this.gripOf(source, box), this.refusalOf(source));
    box.append(label);
    return box;
  }

  /** Keep the label of a box, which may be wider than the box, in sight.
   * @param {HTMLElement} box */
  keepLabel(box) {
    const label = /** @type {HTMLElement} */ (box.lastElementChild);
    const [left, width] = [box.offsetLeft, box.offsetWidth];
    const shift = labelShift([left, left + width], label.offsetWidth, this.layer.clientWidth);
    label.style.setProperty('--shift', shift + 'px');
  }

  /** The words of a source, by which it is dragged to another place; arrow keys move it, too, and
   * Enter copies from there.
   * @param {Source} source
   * @param {HTMLElement} box */
  gripOf({ source }, box) {
    const { picture, host } = this;
    const [from, to] = source;
    const grip = document.createElement('button');
    let moved = 0; // seconds
    let start = 0; // CSS pixels
    const move = (/** @type {number} */ seconds) => {
      moved = Math.min(picture.duration - to, Math.max(-from, seconds));
      box.style.left = picture.x(from + moved) - picture.left + 'px';
      const words = moved ? 'copy from ' : 'copied from ';
      grip.textContent = words + format.span([from + moved, to + moved], format.seconds);
      if (box.isConnected) this.keepLabel(box);
    };
    const apply = () => {
      this.isDragged = false;
      this.drawn = '';
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
