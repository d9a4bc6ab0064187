// The picture: atoms on a canvas below transparent axes of Plotly. It knows where each point of the
// time-frequency plane lies on the screen.

import { axesOf, drawAtoms, nearestAtom } from './atoms.js';
import { axisLayout, drawHatch, MARGIN } from './axes.js';
import { DEFAULT_CONTRAST } from './palette.js';
import { drawPursuit, isPursuit, nearestPursuit } from './pursuit.js';
import { SCALES } from './scales.js';

/** @typedef {import('../types').Lane} Lane */
/** @typedef {import('../types').Range} Range */
/** @typedef {import('../types').PlanePoint} PlanePoint */
/** @typedef {import('../types').FrequencyScale} FrequencyScale */

const LANE_GAP = 12;
const MIN_SECONDS = 0.02;
const PLOTLY_OPTIONS = { staticPlot: true, responsive: false, displayModeBar: false };

/** Plot of the atoms of one scene. */
export class Picture {
  /**
   * @param {object} parts
   * @param {HTMLElement} parts.stage
   * @param {HTMLElement} parts.plot
   * @param {HTMLCanvasElement} parts.canvas
   * @param {HTMLElement} parts.playhead
   * @param {import('./palette.js').Palette} palette
   * @param {{drawn: () => void, themeChanged: () => void}} handlers
   */
  constructor({ stage, plot, canvas, playhead }, palette, handlers) {
    this.stage = stage;
    this.plot = plot;
    this.canvas = canvas;
    this.playhead = playhead;
    this.palette = palette;
    this.handlers = handlers;
    /** @type {import('../types').Scene | null} */
    this.scene = null;
    /** @type {import('../types').Atoms | null} */
    this.atoms = null;
    /** @type {import('../types').Axes | null} */
    this.axes = null;
    /** @type {FrequencyScale} */
    this.scale = 'log';
    this.stacked = false;
    this.contrast = DEFAULT_CONTRAST;
    /** Whether the frequency axis shows notes. */
    this.notes = false;
    /** @type {Range} visible seconds */
    this.t = [0, 10];
    /** @type {Range} visible units of the frequency axis */
    this.u = [0, 1];
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.dark = document.body.classList.contains('dark');
    this.tables = palette.tables(this.dark);
    /** @type {ImageData | null} */
    this.image = null;
    this.pixels = new Uint32Array(0);
    this.frame = 0;
    this.draws = 0;
    this.drawMilliseconds = 0;
    /** Size of the stage, CSS pixels. Reading it from the stage after a change of any style makes
     * the browser compute the styles of the whole page, at every movement of the pointer. */
    this.size = { width: 0, height: 0 };
    /** @type {Promise<void> | null} */
    this.axesUpdate = null;
    this.axesOutdated = false;
  }

  /** Draw the empty axes, and follow the size of the stage and the theme of the page. */
  async open() {
    this.measure();
    await this.updateAxes();
    new ResizeObserver(() => {
      this.measure();
      this.updateAxes();
    }).observe(this.stage);
    new MutationObserver(() => this.updateTheme()).observe(document.body, {
      attributes: true,
      attributeFilter: ['class'],
    });
  }

  measure() {
    this.size = { width: this.stage.clientWidth, height: this.stage.clientHeight };
  }

  get topHertz() {
    return this.scene ? this.scene.rate / 2 : 22050;
  }

  get duration() {
    return this.scene ? Math.max(this.scene.duration, 0.05) : 10;
  }

  /** @param {number} f Hz */
  unit(f) {
    return SCALES[this.scale].unit(f);
  }

  /** @param {number} u */
  hertz(u) {
    return SCALES[this.scale].hertz(u);
  }

  /** @returns {Range} */
  get fullTime() {
    return [0, this.duration];
  }

  /** @returns {Range} */
  get fullUnits() {
    return [this.unit(SCALES[this.scale].lowest), this.unit(this.topHertz)];
  }

  /** Lanes in CSS pixels of the stage, the first channel on top.
   * @returns {Lane[]} */
  lanes() {
    const all = this.size.height - MARGIN.t - MARGIN.b;
    const channels = this.scene ? this.scene.channels : 1;
    if (!this.stacked || channels === 1) return [{ channel: null, top: MARGIN.t, height: all }];
    const height = (all - LANE_GAP * (channels - 1)) / channels;
    return Array.from({ length: channels }, (_, channel) => ({
      channel,
      top: MARGIN.t + channel * (height + LANE_GAP),
      height,
    }));
  }

  get left() {
    return MARGIN.l;
  }

  get width() {
    return Math.max(10, this.size.width - MARGIN.l - MARGIN.r);
  }

  // ---------- positions on the screen

  /** @param {number} seconds */
  x(seconds) {
    return this.left + ((seconds - this.t[0]) / (this.t[1] - this.t[0])) * this.width;
  }

  /** @param {number} hertz
   * @param {Lane} lane */
  y(hertz, lane) {
    return lane.top + ((this.u[1] - this.unit(hertz)) / (this.u[1] - this.u[0])) * lane.height;
  }

  /** @param {number} x */
  secondsAt(x) {
    return this.t[0] + ((x - this.left) / this.width) * (this.t[1] - this.t[0]);
  }

  /** @param {number} y
   * @param {Lane} lane */
  hertzAt(y, lane) {
    return this.hertz(this.u[1] - ((y - lane.top) / lane.height) * (this.u[1] - this.u[0]));
  }

  /** The point of the plane at a pointer event, moved to the edge if it lies outside of `lane`.
   * @param {{clientX: number, clientY: number}} event
   * @param {Lane | null} [lane]
   * @returns {PlanePoint} */
  pointAt(event, lane = null) {
    const box = this.stage.getBoundingClientRect();
    const px = event.clientX - box.left;
    const py = event.clientY - box.top;
    const lanes = this.lanes();
    const held =
      lane || lanes.find((l) => py <= l.top + l.height + LANE_GAP / 2) || lanes[lanes.length - 1];
    const right = this.left + this.width;
    const bottom = held.top + held.height;
    const x = Math.min(Math.max(px, this.left), right);
    const y = Math.min(Math.max(py, held.top), bottom);
    return {
      x,
      y,
      lane: held,
      t: this.secondsAt(x),
      f: this.hertzAt(y, held),
      outside: px < this.left || px > right || py < held.top || py > bottom,
    };
  }

  // ---------- axes

  /** Update the axes after the visible range or the size has changed. Of quick changes, those that
   * come while Plotly is drawing are merged into one more update.
   * @returns {Promise<void>} */
  updateAxes() {
    this.redraw();
    if (this.axesUpdate) {
      this.axesOutdated = true;
      return this.axesUpdate;
    }
    const traces = this.lanes().map((_, k) => ({
      type: 'scatter',
      x: [0],
      y: [0],
      mode: 'markers',
      marker: { opacity: 0 },
      hoverinfo: 'skip',
      yaxis: 'y' + (k ? k + 1 : ''),
    }));
    const update = Plotly.react(this.plot, traces, axisLayout(this), PLOTLY_OPTIONS).then(() => {
      this.axesUpdate = null;
      if (this.axesOutdated) {
        this.axesOutdated = false;
        return this.updateAxes();
      }
      return this.redraw();
    });
    this.axesUpdate = update;
    return update;
  }

  /** Show a scene from beginning to end; with `keepRange`, a version of the same sound as before.
   * @param {import('../types').Scene} scene
   * @param {import('../types').Atoms} atoms
   * @param {boolean} [keepRange] */
  show(scene, atoms, keepRange = false) {
    const otherLength = this.scene && scene.duration !== this.scene.duration;
    this.scene = scene;
    this.atoms = atoms;
    this.axes = axesOf(scene);
    if (!keepRange || otherLength) {
      this.t = this.fullTime;
      this.u = this.fullUnits;
    }
    return this.updateAxes();
  }

  fit() {
    return this.setRange(this.fullTime, this.fullUnits);
  }

  /** Show ranges of time and of units of the frequency axis, within the plane.
   * @param {Range} t
   * @param {Range} u */
  setRange(t, u) {
    /** @param {Range} range
     * @param {Range} limits
     * @param {number} least
     * @returns {Range} */
    const within = ([from, to], [low, high], least) => {
      const size = Math.min(Math.max(to - from, least), high - low);
      const start = Math.min(Math.max(from + (to - from - size) / 2, low), high - size);
      return [start, start + size];
    };
    const full = this.fullUnits;
    this.t = within(t, this.fullTime, Math.min(MIN_SECONDS, this.duration));
    this.u = within(u, full, (full[1] - full[0]) / 200);
    return this.updateAxes();
  }

  /** Zoom by factors around a point of the plane; factors below 1 zoom in.
   * @param {{t: number, f: number}} point
   * @param {number} time
   * @param {number} frequency */
  zoom(point, time, frequency) {
    /** @param {Range} range
     * @param {number} centre
     * @param {number} factor
     * @returns {Range} */
    const around = ([from, to], centre, factor) => [
      centre - (centre - from) * factor,
      centre + (to - centre) * factor,
    ];
    return this.setRange(
      around(this.t, point.t, time),
      around(this.u, this.unit(point.f), frequency),
    );
  }

  /** Move by CSS pixels.
   * @param {number} dx
   * @param {number} dy
   * @param {Lane} [lane] */
  pan(dx, dy, lane = this.lanes()[0]) {
    const t = (dx / this.width) * (this.t[1] - this.t[0]);
    const u = (dy / lane.height) * (this.u[1] - this.u[0]);
    return this.setRange([this.t[0] - t, this.t[1] - t], [this.u[0] + u, this.u[1] + u]);
  }

  /** @param {FrequencyScale} scale */
  setScale(scale) {
    const [low, high] = this.u.map((u) => this.hertz(u));
    const isFull = this.u.every((u, k) => Math.abs(u - this.fullUnits[k]) < 1e-6);
    this.scale = scale;
    if (isFull) return this.setRange(this.t, this.fullUnits);
    return this.setRange(this.t, [this.unit(Math.max(low, SCALES[scale].lowest)), this.unit(high)]);
  }

  /** @param {boolean} notes whether the frequency axis shows notes instead of Hz */
  setNotes(notes) {
    this.notes = notes;
    return this.updateAxes();
  }

  /** @param {boolean} stacked */
  setStacked(stacked) {
    this.stacked = stacked;
    return this.updateAxes();
  }

  // ---------- atoms

  /** The visible part of the plane, in device pixels of the canvas.
   * @returns {import('../types').Plane} */
  plane() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const lanes = this.lanes();
    const { top } = lanes[0];
    const last = lanes[lanes.length - 1];
    return {
      ratio,
      t: this.t,
      u: this.u,
      unit: SCALES[this.scale].unit,
      tintPixels: this.palette.config.tintPixels,
      width: Math.max(1, Math.round(this.width * ratio)),
      height: Math.max(1, Math.round((last.top + last.height - top) * ratio)),
      lanes: lanes.map((lane) => ({
        channel: lane.channel,
        top: Math.round((lane.top - top) * ratio),
        height: Math.round(lane.height * ratio),
      })),
    };
  }

  /** Draw before the browser shows its next frame. */
  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.scene || !this.atoms) return;
    const began = performance.now();
    const plane = this.plane();
    const { canvas } = this;
    if (canvas.width !== plane.width || canvas.height !== plane.height || !this.image) {
      Object.assign(canvas, { width: plane.width, height: plane.height });
      this.image = this.context.createImageData(plane.width, plane.height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    Object.assign(canvas.style, {
      left: this.left + 'px',
      top: MARGIN.t + 'px',
      width: this.width + 'px',
      height: plane.height / plane.ratio + 'px',
    });
    this.pixels.fill(this.palette.paper(this.dark));
    const draw = isPursuit(this.scene) ? drawPursuit : drawAtoms;
    draw(this.pixels, this.atoms, plane, this.tables, this.scene);
    this.context.putImageData(this.image, 0, 0);
    drawHatch(this.context, plane, this.scene, this.dark);
    this.drawMilliseconds = performance.now() - began;
    this.draws++;
    this.handlers.drawn();
  }

  /** Index of the atom at a point of the plane, or -1.
   * @param {PlanePoint} point */
  atomAt(point) {
    if (!this.scene || !this.atoms || !this.axes) return -1;
    const plane = this.plane();
    const x = (point.x - this.left) * plane.ratio;
    const y = (point.y - this.lanes()[0].top) * plane.ratio;
    return isPursuit(this.scene)
      ? nearestPursuit(this.atoms, plane, this.scene, x, y)
      : nearestAtom(this.atoms, plane, this.axes, x, y);
  }

  updateTheme() {
    const dark = document.body.classList.contains('dark');
    if (dark === this.dark) return;
    this.dark = dark;
    this.tables = this.palette.tables(dark);
    this.updateAxes();
    this.handlers.themeChanged();
  }

  /** @param {number} contrast 0 to 1 */
  setContrast(contrast) {
    this.contrast = contrast;
    this.palette.setContrast(contrast);
    this.tables = this.palette.tables(this.dark);
    this.redraw();
  }

  /** @param {number} seconds */
  placePlayhead(seconds) {
    if (!this.scene) return;
    const x = this.x(seconds);
    const lanes = this.lanes();
    const last = lanes[lanes.length - 1];
    const right = this.left + this.width;
    this.playhead.hidden = !(x >= this.left - 0.5 && x <= right + 0.5);
    Object.assign(this.playhead.style, {
      transform: 'translateX(' + x + 'px)',
      top: lanes[0].top + 'px',
      height: last.top + last.height - lanes[0].top + 'px',
    });
  }
}
