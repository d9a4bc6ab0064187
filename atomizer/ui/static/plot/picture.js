// The picture: atoms on a canvas of our own, below the transparent axes of Plotly. It knows where a point of the plane lies on the screen.

import { splat, nearestAtom, axesOf } from './atoms.js';
import * as format from '../util/format.js';
import { isPursuit, nearestPursuit, splatPursuit } from './pursuit.js';
import { SCALES, ticks } from './scales.js';

const MARGIN = { l: 56, r: 8, t: 8, b: 28 },
  LANE_GAP = 12,
  SHORTEST = 0.02;
const PLOTLY_OPTIONS = { staticPlot: true, responsive: false, displayModeBar: false };

export class Picture {
  /**
   * parts     {stage, plot, canvas, playhead} elements
   * palette   Palette
   * handlers  {moved(): after every drawing, rethemed()}
   */
  constructor(parts, palette, handlers) {
    Object.assign(this, parts, {
      palette,
      handlers,
      scene: null,
      atoms: null,
      axes: null,
      scale: 'log',
      stacked: false,
      t: [0, 10],
      u: [0, 1],
    });
    this.pen = this.canvas.getContext('2d');
    this.dark = document.body.classList.contains('dark');
    this.table = palette.table(this.dark);
  }

  async open() {
    await this.layOut();
    new ResizeObserver(() => this.layOut()).observe(this.stage);
    new MutationObserver(() => this.retheme()).observe(document.body, {
      attributes: true,
      attributeFilter: ['class'],
    });
  }

  get topHertz() {
    return this.scene ? this.scene.rate / 2 : 22050;
  }
  get duration() {
    return this.scene ? Math.max(this.scene.duration, 0.05) : 10;
  }
  unit(f) {
    return SCALES[this.scale].unit(f);
  }
  hertz(u) {
    return SCALES[this.scale].hertz(u);
  }

  /** [from, to] of the whole plane. */
  get wholeTime() {
    return [0, this.duration];
  }
  get wholeUnits() {
    return [this.unit(SCALES[this.scale].lowest), this.unit(this.topHertz)];
  }

  /** Lanes in CSS pixels of the stage, the first channel on top: [{channel, top, height}]. */
  lanes() {
    const all = this.stage.clientHeight - MARGIN.t - MARGIN.b,
      channels = this.scene ? this.scene.channels : 1;
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
    return Math.max(10, this.stage.clientWidth - MARGIN.l - MARGIN.r);
  }

  // where things are

  x(seconds) {
    return this.left + ((seconds - this.t[0]) / (this.t[1] - this.t[0])) * this.width;
  }
  y(hertz, lane) {
    return lane.top + ((this.u[1] - this.unit(hertz)) / (this.u[1] - this.u[0])) * lane.height;
  }
  secondsAt(x) {
    return this.t[0] + ((x - this.left) / this.width) * (this.t[1] - this.t[0]);
  }
  hertzAt(y, lane) {
    return this.hertz(this.u[1] - ((y - lane.top) / lane.height) * (this.u[1] - this.u[0]));
  }

  /** The point of the plane under a pointer event: {x, y, lane, t, f}, pulled to the edge where it lies outside of `lane`. */
  at(event, lane = null) {
    const box = this.stage.getBoundingClientRect(),
      px = event.clientX - box.left,
      py = event.clientY - box.top,
      lanes = this.lanes();
    const held =
      lane || lanes.find((l) => py <= l.top + l.height + LANE_GAP / 2) || lanes[lanes.length - 1];
    const x = Math.min(Math.max(px, this.left), this.left + this.width),
      y = Math.min(Math.max(py, held.top), held.top + held.height);
    return {
      x,
      y,
      lane: held,
      t: this.secondsAt(x),
      f: this.hertzAt(y, held),
      outside:
        px < this.left ||
        px > this.left + this.width ||
        py < held.top ||
        py > held.top + held.height,
    };
  }

  // axes

  layout() {
    const ink = this.dark ? '#9aa3b5' : '#5b6475',
      grid = this.dark ? 'rgba(255,255,255,.06)' : 'rgba(15,23,42,.07)';
    const height = Math.max(60, this.stage.clientHeight),
      lanes = this.lanes(),
      inner = height - MARGIN.t - MARGIN.b;
    const axis = {
      gridcolor: grid,
      zeroline: false,
      ticks: 'outside',
      ticklen: 4,
      tickcolor: grid,
      fixedrange: true,
    };
    const layout = {
      margin: { ...MARGIN },
      width: this.stage.clientWidth,
      height,
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      font: { color: ink, size: 11, family: 'system-ui, sans-serif' },
      showlegend: false,
      hovermode: false,
    };
    lanes.forEach((lane, k) => {
      const bottom = 1 - (lane.top - MARGIN.t + lane.height) / inner,
        name = 'yaxis' + (k ? k + 1 : '');
      layout[name] = {
        ...axis,
        ...this.marks(lane),
        range: this.u,
        domain: [Math.max(0, bottom), Math.min(1, bottom + lane.height / inner)],
      };
      if (lane.channel !== null)
        layout[name].title = {
          text: format.channel(lane.channel, this.scene.channels),
          font: { size: 10 },
          standoff: 2,
        };
    });
    layout.xaxis = {
      ...axis,
      ticksuffix: ' s',
      range: this.t,
      anchor: lanes.length > 1 ? 'y' + lanes.length : 'y',
    };
    return layout;
  }

  marks(lane) {
    const found = ticks(
      this.scale,
      Math.max(this.hertz(this.u[0]), SCALES[this.scale].lowest),
      this.hertz(this.u[1]),
      lane.height,
    );
    return {
      tickmode: 'array',
      tickvals: found.map((mark) => this.unit(mark.hertz)),
      ticktext: found.map((mark) => mark.text),
    };
  }

  /** Lay the axes out anew: what is seen, or the size, has changed. Quick changes are drawn as fast as they can be, and the last one always. */
  layOut() {
    this.redraw();
    if (this.laying) {
      this.again = true;
      return this.laying;
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
    this.laying = Plotly.react(this.plot, traces, this.layout(), PLOTLY_OPTIONS).then(() => {
      this.laying = null;
      if (this.again) {
        this.again = false;
        return this.layOut();
      }
      return this.redraw();
    });
    return this.laying;
  }

  /** Show a scene from its beginning to its end, or keep what is seen where it is a version of the same sound. */
  show(scene, atoms, keep = false) {
    const longer = this.scene && scene.duration !== this.scene.duration;
    Object.assign(this, { scene, atoms, axes: axesOf(scene) });
    if (!keep || longer) Object.assign(this, { t: this.wholeTime, u: this.wholeUnits });
    return this.layOut();
  }

  fit() {
    return this.look(this.wholeTime, this.wholeUnits);
  }

  /** Show spans of time and of units of the axis, as far as there is anything. */
  look(t, u) {
    const within = ([from, to], [low, high], least) => {
      const size = Math.min(Math.max(to - from, least), high - low),
        start = Math.min(Math.max(from + (to - from - size) / 2, low), high - size);
      return [start, start + size];
    };
    const whole = this.wholeUnits;
    this.t = within(t, this.wholeTime, Math.min(SHORTEST, this.duration));
    this.u = within(u, whole, (whole[1] - whole[0]) / 200);
    return this.layOut();
  }

  /** Zoom by factors (below 1 closer) around a point of the plane. */
  zoom(point, time, frequency) {
    const around = ([from, to], centre, factor) => [
      centre - (centre - from) * factor,
      centre + (to - centre) * factor,
    ];
    return this.look(around(this.t, point.t, time), around(this.u, this.unit(point.f), frequency));
  }

  /** Move by CSS pixels. */
  pan(dx, dy, lane = this.lanes()[0]) {
    const t = (dx / this.width) * (this.t[1] - this.t[0]),
      u = (dy / lane.height) * (this.u[1] - this.u[0]);
    return this.look(
      this.t.map((v) => v - t),
      this.u.map((v) => v + u),
    );
  }

  setScale(scale) {
    const [low, high] = this.u.map((u) => this.hertz(u)),
      whole = this.u.every((u, k) => Math.abs(u - this.wholeUnits[k]) < 1e-6);
    this.scale = scale;
    if (whole) return this.look(this.t, this.wholeUnits);
    return this.look(
      this.t,
      [Math.max(low, SCALES[scale].lowest), high].map((f) => this.unit(f)),
    );
  }

  setStacked(stacked) {
    this.stacked = stacked;
    return this.layOut();
  }

  // atoms

  /** The part of the plane that is on the canvas, in device pixels. */
  plane() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2),
      lanes = this.lanes(),
      top = lanes[0].top,
      last = lanes[lanes.length - 1];
    return {
      ratio,
      t: this.t,
      u: this.u,
      unit: SCALES[this.scale].unit,
      width: Math.max(1, Math.round(this.width * ratio)),
      height: Math.max(1, Math.round((last.top + last.height - top) * ratio)),
      lanes: lanes.map((lane) => ({
        channel: lane.channel,
        top: Math.round((lane.top - top) * ratio),
        height: Math.round(lane.height * ratio),
      })),
    };
  }

  redraw() {
    if (!this.frame)
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
  }

  draw() {
    if (!this.scene || !this.atoms) return;
    const began = performance.now(),
      plane = this.plane(),
      { canvas } = this;
    if (canvas.width !== plane.width || canvas.height !== plane.height || !this.image) {
      Object.assign(canvas, { width: plane.width, height: plane.height });
      this.image = this.pen.createImageData(plane.width, plane.height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    Object.assign(canvas.style, {
      left: this.left + 'px',
      top: MARGIN.t + 'px',
      width: this.width + 'px',
      height: plane.height / plane.ratio + 'px',
    });
    this.pixels.fill(this.palette.paper(this.dark));
    (isPursuit(this.scene) ? splatPursuit : splat)(
      this.pixels,
      this.atoms,
      plane,
      this.table,
      this.scene,
    );
    this.pen.putImageData(this.image, 0, 0);
    this.hatch(plane);
    this.drawMilliseconds = performance.now() - began;
    this.draws = (this.draws || 0) + 1;
    this.handlers.moved();
  }

  /** Slanted lines over the time that was added to the sound, and nothing between lanes. */
  hatch(plane) {
    const { pen } = this;
    for (const region of this.scene.added || []) {
      if (!region.t) continue;
      const x = Math.max(0, ((region.t[0] - plane.t[0]) / (plane.t[1] - plane.t[0])) * plane.width);
      pen.save();
      pen.beginPath();
      pen.rect(x, 0, plane.width - x, plane.height);
      pen.clip();
      pen.strokeStyle = this.dark ? 'rgba(255,255,255,.06)' : 'rgba(15,23,42,.06)';
      pen.lineWidth = plane.ratio;
      pen.beginPath();
      for (let at = -plane.height; at < plane.width; at += 9 * plane.ratio) {
        pen.moveTo(at, plane.height);
        pen.lineTo(at + plane.height, 0);
      }
      pen.stroke();
      pen.restore();
    }
    plane.lanes.slice(1).forEach((lane, k) => {
      const above = plane.lanes[k];
      pen.clearRect(0, above.top + above.height, plane.width, lane.top - above.top - above.height);
    });
  }

  /** Index of the atom under a point of the plane, or -1. */
  atomAt(point) {
    const plane = this.plane(),
      x = (point.x - this.left) * plane.ratio,
      y = (point.y - this.lanes()[0].top) * plane.ratio;
    return isPursuit(this.scene)
      ? nearestPursuit(this.atoms, plane, this.scene, x, y)
      : nearestAtom(this.atoms, plane, this.axes, x, y);
  }

  retheme() {
    const dark = document.body.classList.contains('dark');
    if (dark === this.dark) return;
    Object.assign(this, { dark, table: this.palette.table(dark) });
    this.layOut();
    this.handlers.rethemed();
  }

  placeHead(seconds) {
    if (!this.scene) return;
    const x = this.x(seconds),
      lanes = this.lanes(),
      last = lanes[lanes.length - 1];
    this.playhead.hidden = !(x >= this.left - 0.5 && x <= this.left + this.width + 0.5);
    Object.assign(this.playhead.style, {
      transform: 'translateX(' + x + 'px)',
      top: lanes[0].top + 'px',
      height: last.top + last.height - lanes[0].top + 'px',
    });
  }
}
