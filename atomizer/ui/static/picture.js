// The picture: atoms on a canvas of our own, below the transparent axes of Plotly, which give zoom, pan and the drawing of regions.

const OCTAVES_PER_DECADE = Math.log2(10);
const LOWEST_HERTZ = 30, SMALLEST_DRAG = 3;
const TOOLS = { box: 'drawrect', lasso: 'drawclosedpath', move: false, zoom: 'zoom', pan: 'pan' };
const LOG_TICKS = [50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000];
const PLOTLY_OPTIONS = { responsive: false, scrollZoom: true, displaylogo: false, displayModeBar: false, doubleClick: false };

class Picture {
  /**
   * parts     {plot, canvas, playhead} elements
   * handlers  {drawn(shapes), edited(shapes), hover(x, y), leave(), seek(seconds), moved()}
   */
  constructor(parts, handlers) {
    Object.assign(this, parts);
    this.handlers = handlers;
    this.pen = this.canvas.getContext('2d');
    this.scene = null;
    this.log = true;
    this.tool = 'box';
    this.dark = document.body.classList.contains('dark');
    this.table = colourTable(this.dark);
    this.paint = () => {};
  }

  async open() {
    await Plotly.newPlot(this.plot, [{ type: 'scatter', x: [0], y: [LOWEST_HERTZ], mode: 'markers', marker: { opacity: 0 }, hoverinfo: 'skip' }],
      this.layout(), PLOTLY_OPTIONS);
    this.plot.on('plotly_relayouting', () => this.redraw());
    this.plot.on('plotly_relayout', (change) => this.onRelayout(change));
    this.listenToPointer();
    new ResizeObserver(() => Plotly.Plots.resize(this.plot).then(() => this.redraw())).observe(this.plot);
    new MutationObserver(() => this.retheme()).observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }

  get xaxis() { return this.plot._fullLayout.xaxis; }
  get yaxis() { return this.plot._fullLayout.yaxis; }
  get topHertz() { return this.scene ? this.scene.rate / 2 : 22050; }
  get duration() { return this.scene ? Math.max(this.scene.duration, 0.05) : 10; }

  layout() {
    const ink = this.dark ? '#9aa3b5' : '#5b6475', grid = this.dark ? 'rgba(255,255,255,.06)' : 'rgba(15,23,42,.07)';
    const axis = { gridcolor: grid, zeroline: false, ticks: 'outside', ticklen: 4, tickcolor: grid, fixedrange: false };
    return {
      margin: { l: 52, r: 10, t: 6, b: 28 }, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
      font: { color: ink, size: 11, family: 'system-ui, sans-serif' }, showlegend: false, hovermode: false, dragmode: TOOLS[this.tool],
      xaxis: { ...axis, ticksuffix: ' s', range: [0, this.duration], minallowed: 0, maxallowed: this.duration },
      yaxis: { ...axis, ...this.verticalAxis() },
      newshape: { ...this.shapeStyle('add'), drawdirection: 'diagonal' },
      activeshape: { fillcolor: 'rgba(99,102,241,.25)', opacity: 1 }, shapes: [],
    };
  }

  verticalAxis() {
    if (!this.log) return { type: 'linear', range: [0, this.topHertz], tickmode: 'auto', tickformat: ',.0f', ticksuffix: ' Hz' };
    return { type: 'log', range: [LOWEST_HERTZ, this.topHertz].map(Math.log10), ...this.logTicks([LOWEST_HERTZ, this.topHertz].map(Math.log10)) };
  }

  /** Round frequencies where the whole range is seen, Plotly's own ticks where one has zoomed in. */
  logTicks(range) {
    if (range[1] - range[0] < 0.9) return { tickmode: 'auto', tickformat: ',.0f', ticksuffix: ' Hz', dtick: undefined, nticks: 8 };
    return { tickmode: 'array', tickvals: LOG_TICKS, ticktext: LOG_TICKS.map((f) => (f < 1000 ? f + ' Hz' : f / 1000 + ' kHz')), ticksuffix: '' };
  }

  shapeStyle(op) {
    const line = op === 'subtract' ? (this.dark ? '#f472b6' : '#be185d') : this.dark ? '#e2e8f0' : '#1e293b';
    return { line: { color: line, width: 1.5, dash: op === 'subtract' ? 'dash' : 'solid' },
      fillcolor: op === 'subtract' ? 'rgba(244,114,182,.08)' : this.dark ? 'rgba(255,255,255,.05)' : 'rgba(15,23,42,.05)' };
  }

  relayout(change) {
    this.silent = true;
    return Plotly.relayout(this.plot, change).finally(() => { this.silent = false; });
  }

  async show(scene) {
    this.scene = scene;
    const l = this.layout();
    await this.relayout({ ...this.nested('xaxis', l.xaxis), ...this.nested('yaxis', l.yaxis) });
  }

  fit() {
    const l = this.layout();
    return this.relayout({ 'xaxis.range': l.xaxis.range, ...this.nested('yaxis', this.verticalAxis()) }).then(() => this.redraw());
  }

  nested(name, values) {
    return Object.fromEntries(Object.entries(values).map(([key, value]) => [name + '.' + key, value]));
  }

  async setLog(log) {
    this.log = log;
    await this.relayout(this.nested('yaxis', this.verticalAxis()));
    this.redraw();
  }

  async setTool(tool) {
    this.tool = tool;
    // regions catch the pointer only in the move tool, so that one can draw over them
    this.plot._context.edits.shapePosition = tool === 'move';
    await this.relayout({ dragmode: TOOLS[tool], shapes: (this.plot.layout.shapes || []).map((shape) => ({ ...shape, editable: false })) });
  }

  // regions

  /** Draw the items that have a place in the plane; the others (channels, parts) are only listed. */
  setItems(items) {
    const shapes = [];
    items.forEach((item, index) => {
      const shape = this.shapeOf(item);
      if (shape) shapes.push({ ...shape, ...this.shapeStyle(item.op), name: String(index), editable: false, layer: 'above' });
    });
    return this.relayout({ shapes });
  }

  shapeOf(item) {
    if (item.part || item.everything) return null;
    if (item.points) return { type: 'path', path: 'M' + item.points.map((p) => p.join(',')).join('L') + 'Z' };
    if (!item.t && !item.f) return null;
    const shape = { type: 'rect', xref: 'x', yref: 'y', x0: 0, x1: 1, y0: 0, y1: 1 };
    if (item.t) Object.assign(shape, { x0: item.t[0] ?? 0, x1: item.t[1] ?? this.duration });
    else shape.xref = 'paper';
    if (item.f) Object.assign(shape, { y0: Math.max(item.f[0] ?? 1, 1), y1: item.f[1] ?? this.topHertz });
    else shape.yref = 'paper';
    return shape;
  }

  /** What an edited or new shape says, laid over the item that it was drawn from. */
  itemOf(shape, item) {
    const sorted = (a, b) => [Math.min(a, b), Math.max(a, b)];
    if (shape.type === 'path') {
      const points = (shape.path.match(/[ML][^MLZ]+/g) || []).map((corner) => corner.slice(1).split(',').map(Number));
      return { ...item, kind: 'lasso', points, scale: item.scale || (this.log ? 'log' : 'linear') };
    }
    const next = { ...item, kind: 'rect' };
    const open = (span, old) => span.map((value, k) => (old && old[k] == null ? null : value));
    if (shape.xref !== 'paper') next.t = open(sorted(+shape.x0, +shape.x1), item.t);
    if (shape.yref !== 'paper') next.f = open(sorted(+shape.y0, +shape.y1), item.f);
    return next;
  }

  onRelayout(change) {
    this.redraw();
    if (this.silent) return;
    const keys = Object.keys(change);
    if (keys.some((key) => key.startsWith('shapes'))) this.onShapes(this.plot.layout.shapes || []);
    if (this.log && keys.some((key) => key.startsWith('yaxis'))) this.relayout(this.nested('yaxis', this.logTicks(this.yaxis.range)));
  }

  onShapes(shapes) {
    const fresh = shapes.find((shape) => shape.name === undefined || shape.name === '');
    if (!fresh) return this.handlers.edited(shapes);
    const slip = fresh.type === 'rect' && (Math.abs(this.xaxis.d2p(fresh.x1) - this.xaxis.d2p(fresh.x0)) < SMALLEST_DRAG
      || Math.abs(this.yaxis.d2p(fresh.y1) - this.yaxis.d2p(fresh.y0)) < SMALLEST_DRAG);
    return this.handlers.drawn(slip ? null : fresh);
  }

  // atoms

  /** The part of the plane that is on the canvas, in device pixels. */
  plane() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2), unit = this.yaxis.type === 'log' ? OCTAVES_PER_DECADE : 1;
    return { ratio, log: this.yaxis.type === 'log', width: Math.max(1, Math.round(this.xaxis._length * ratio)),
      height: Math.max(1, Math.round(this.yaxis._length * ratio)), t: this.xaxis.range, y: this.yaxis.range.map((v) => v * unit) };
  }

  redraw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  draw() {
    if (!this.scene || !this.plot._fullLayout) return;
    const began = performance.now(), plane = this.plane();
    this.place(plane);
    const image = this.pen.createImageData(plane.width, plane.height), pixels = new Uint32Array(image.data.buffer);
    pixels.fill(paperPixel(this.dark));
    this.paint(pixels, plane, this.table);
    this.pen.putImageData(image, 0, 0);
    this.hatch(plane);
    this.drawMilliseconds = performance.now() - began;
    this.handlers.moved();
  }

  place({ width, height }) {
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    Object.assign(this.canvas.style, { left: this.xaxis._offset + 'px', top: this.yaxis._offset + 'px',
      width: this.xaxis._length + 'px', height: this.yaxis._length + 'px' });
  }

  /** Slanted lines over the time that was added to the sound. */
  hatch(plane) {
    for (const region of this.scene.added || []) {
      if (!region.t) continue;
      const x = ((region.t[0] - plane.t[0]) / (plane.t[1] - plane.t[0])) * plane.width;
      this.pen.save();
      this.pen.beginPath();
      this.pen.rect(x, 0, plane.width - x, plane.height);
      this.pen.clip();
      this.pen.strokeStyle = this.dark ? 'rgba(255,255,255,.06)' : 'rgba(15,23,42,.06)';
      this.pen.lineWidth = plane.ratio;
      this.pen.beginPath();
      for (let at = -plane.height; at < plane.width; at += 9 * plane.ratio) { this.pen.moveTo(at, plane.height); this.pen.lineTo(at + plane.height, 0); }
      this.pen.stroke();
      this.pen.restore();
    }
  }

  retheme() {
    const dark = document.body.classList.contains('dark');
    if (dark === this.dark) return;
    this.dark = dark;
    this.table = colourTable(dark);
    const { font, xaxis, yaxis, newshape } = this.layout();
    this.relayout({ font, 'xaxis.gridcolor': xaxis.gridcolor, 'yaxis.gridcolor': yaxis.gridcolor, newshape }).then(() => this.redraw());
    this.handlers.rethemed();
  }

  // pointer

  placeHead(seconds) {
    if (!this.scene || !this.plot._fullLayout) return;
    const { range, _length: length, _offset: offset } = this.xaxis, x = ((seconds - range[0]) / (range[1] - range[0])) * length;
    this.playhead.hidden = !(x >= 0 && x <= length);
    Object.assign(this.playhead.style, { transform: 'translateX(' + (offset + x) + 'px)', top: this.yaxis._offset + 'px', height: this.yaxis._length + 'px' });
  }

  /** Position of an event in device pixels of the canvas, or null outside of it. */
  at(event) {
    const box = this.canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    if (x < 0 || y < 0 || x > box.width || y > box.height) return null;
    const ratio = this.canvas.width / box.width;
    return [x * ratio, y * ratio];
  }

  listenToPointer() {
    let press = null;
    this.plot.addEventListener('pointerdown', (event) => {
      press = this.scene && event.target.closest('.nsewdrag') ? { x: event.clientX, y: event.clientY, travel: 0 } : null;
    }, true);
    window.addEventListener('pointermove', (event) => {
      // the furthest travel, not the distance at the end: a lasso ends where it began
      if (press) press.travel = Math.max(press.travel, Math.hypot(event.clientX - press.x, event.clientY - press.y));
    }, true);
    window.addEventListener('pointerup', (event) => {
      const click = press && press.travel <= 4, place = click && this.at(event);
      press = null;
      if (!place) return;
      const [t0, t1] = this.xaxis.range;
      this.handlers.seek(t0 + (place[0] / this.canvas.width) * (t1 - t0));
    }, true);
    this.plot.addEventListener('mousemove', (event) => {
      const place = this.scene && this.at(event);
      if (place) this.handlers.hover(...place);
      else this.handlers.leave();
    });
    this.plot.addEventListener('mouseleave', () => this.handlers.leave());
  }
}
