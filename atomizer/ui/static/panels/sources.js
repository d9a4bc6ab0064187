// Sources of a fill on the picture: the spans of the recording that were copied, each with an arrow
// to the hole that it fills.

import * as format from '../util/format.js';

/** @typedef {import('../types').Source} Source */
/** @typedef {import('../types').Range} Range */

const SVG = 'http://www.w3.org/2000/svg';
const MOST = 3; // spans that are drawn
const LEAST = 0.1; // confidence of a drawn span, as a share of the best one's
const ARCH = 34; // CSS pixels by which an arrow rises above the middle of the picture
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

/** Draws sources above the picture. */
export class SourceLayer {
  /** @param {HTMLElement} layer
   * @param {import('../plot/picture.js').Picture} picture */
  constructor(layer, picture) {
    this.layer = layer;
    this.picture = picture;
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
    layer.hidden = !sources.length;
    if (layer.hidden) return;
    Object.assign(layer.style, {
      left: picture.left + 'px',
      width: picture.width + 'px',
    });
    const arrows = document.createElementNS(SVG, 'svg');
    arrows.setAttribute('aria-hidden', 'true');
    layer.replaceChildren(arrows, ...sources.map((source) => this.spanOf(source)));
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
    label.textContent = 'copied from ' + format.span([from, to], format.seconds);
    box.append(label);
    return box;
  }
}
