// Quality of the first n atoms of all orderings, as curves.

import { curveLayout } from '../plot/curves.js';
import { lineColours } from '../plot/palette.js';
import { curveCounts, qualityOf } from '../state/orderings.js';

/** @type {Record<string, string>} */
const DASHES = {
  time: 'solid',
  frequency: 'dash',
  velocity: 'solid',
  channel: 'dot',
  random: 'dashdot',
  audibility: 'longdash',
};

/** The fold in the panel of orderings. */
export class OrderCurves {
  /** @param {HTMLDetailsElement} fold
   * @param {HTMLElement} plot
   * @param {import('./order_panel.js').OrderPanel} orders */
  constructor(fold, plot, orders) {
    this.fold = fold;
    this.plot = plot;
    this.orders = orders;
    this.traceCount = 0;
    fold.addEventListener('toggle', () => this.draw());
  }

  get isShown() {
    return this.orders.open && !!this.orders.scene && this.fold.open;
  }

  get colours() {
    return lineColours(this.orders.host.isDark());
  }

  /** Two traces of an ordering: SNR and energy over the number of atoms.
   * @param {string} name
   * @param {number[]} counts */
  tracesOf(name, counts) {
    const { sums } = this.orders.permutation(name);
    const points = counts.map((n) =>
      qualityOf(sums, n, this.orders.reverse, this.orders.shown.scene.energy),
    );
    const isChosen = name === this.orders.name;
    const common = {
      x: counts,
      name,
      line: { color: this.colours[name], width: isChosen ? 3 : 1.5, dash: DASHES[name] },
      opacity: isChosen ? 1 : 0.75,
      mode: 'lines',
      legendgroup: name,
    };
    return [
      {
        ...common,
        y: points.map((p) => p.snr),
        hovertemplate: '%{x:,} atoms: %{y:.1f} dB',
      },
      {
        ...common,
        y: points.map((p) => 100 * p.energy),
        yaxis: 'y2',
        hovertemplate: '%{x:,} atoms: %{y:.1f} %',
        showlegend: false,
      },
    ];
  }

  async draw() {
    if (!this.isShown) return;
    const counts = curveCounts(this.orders.total);
    /** @type {object[]} */
    const traces = [];
    for (const name of this.orders.names) {
      traces.push(...this.tracesOf(name, counts));
      await new Promise((resolve) => setTimeout(resolve)); // sorting all atoms takes a while
      if (!this.isShown) return;
    }
    const marker = {
      color: this.colours[this.orders.name],
      size: 10,
      line: { color: this.orders.host.isDark() ? '#fff' : '#0f172a', width: 1.5 },
    };
    for (const yaxis of ['y', 'y2'])
      traces.push({
        x: [1],
        y: [0],
        mode: 'markers',
        marker,
        yaxis,
        showlegend: false,
        hoverinfo: 'skip',
      });
    const options = { displayModeBar: false, responsive: true };
    await Plotly.react(this.plot, traces, this.layout(), options);
    this.traceCount = traces.length;
    this.movePoint();
  }

  layout() {
    const { layout, axis } = curveLayout(this.orders.host.isDark(), 280);
    return {
      ...layout,
      xaxis: {
        ...axis,
        type: 'log',
        title: { text: 'first n atoms' },
        range: [0, Math.log10(Math.max(10, this.orders.total))],
        anchor: 'y2',
        exponentformat: 'SI',
      },
      yaxis: { ...axis, title: { text: 'SNR / dB' }, domain: [0.54, 1] },
      yaxis2: { ...axis, title: { text: 'energy / %' }, domain: [0, 0.44], range: [0, 102] },
    };
  }

  /** Move the points of the curves to the current number of atoms. */
  movePoint() {
    if (!this.isShown || !this.traceCount) return;
    const { energy, snr } = this.orders.quality();
    const n = Math.max(1, this.orders.first);
    Plotly.restyle(this.plot, { x: [[n], [n]], y: [[snr], [100 * energy]] }, [
      this.traceCount - 2,
      this.traceCount - 1,
    ]);
  }
}
