// Quality of a sound over the bit rate: as a file of atoms, and in other codecs.

import * as format from '../util/format.js';
import { curveLayout } from './curves.js';

/** @typedef {import('../types').Compression} Compression */

/** @type {Record<string, string>} */
const COLOURS = {
  atoms: '#e0701a',
  Opus: '#3d8fd1',
  Vorbis: '#0a9e78',
  MP3: '#8a93a5',
  AAC: '#b86fa0',
};

/** Traces of the curves: SNR, and below it ViSQOL where it was measured.
 * @param {Compression} compression */
function tracesOf({ curves, order }) {
  const fill = order === 'audibility' ? ', filled in' : '';
  return curves.flatMap(({ codec, kbps, snr, visqol }) => {
    const common = {
      x: kbps,
      name: codec === 'atoms' ? 'atoms ' + format.ordering(order) + fill : codec,
      mode: 'lines+markers',
      line: { color: COLOURS[codec], width: codec === 'atoms' ? 3 : 1.5 },
      legendgroup: codec,
    };
    const hertz = '%{x:.0f} kbit/s: ';
    const traces = [{ ...common, y: snr, hovertemplate: hertz + '%{y:.1f} dB' }];
    if (visqol.some((value) => value !== null))
      traces.push(
        /** @type {any} */ ({
          ...common,
          y: visqol,
          yaxis: 'y2',
          hovertemplate: hertz + '%{y:.2f}',
          showlegend: false,
        }),
      );
    return traces;
  });
}

/** Draw the curves, and a line at a bit rate.
 * @param {HTMLElement} element
 * @param {Compression} compression
 * @param {{isDark: boolean, kbps: number}} view */
export async function drawCodecCurves(element, compression, { isDark, kbps }) {
  const traces = tracesOf(compression);
  const hasVisqol = traces.some((trace) => 'yaxis' in trace);
  const { layout, axis } = curveLayout(isDark, hasVisqol ? 340 : 230);
  const top = Math.max(...compression.curves.flatMap((curve) => curve.kbps), 1);
  const y2 = { ...axis, title: { text: 'ViSQOL' }, domain: [0, 0.44] };
  await Plotly.react(
    element,
    traces,
    {
      ...layout,
      shapes: [markAt(kbps, isDark)],
      xaxis: {
        ...axis,
        title: { text: 'kbit/s' },
        range: [0, 1.05 * top],
        anchor: hasVisqol ? 'y2' : 'y',
      },
      yaxis: { ...axis, title: { text: 'SNR / dB' }, domain: hasVisqol ? [0.54, 1] : [0, 1] },
      ...(hasVisqol && { yaxis2: y2 }),
    },
    { displayModeBar: false, responsive: true },
  );
}

/** Move the line to another bit rate.
 * @param {HTMLElement} element
 * @param {number} kbps
 * @param {boolean} isDark */
export const moveMark = (element, kbps, isDark) =>
  Plotly.relayout(element, { shapes: [markAt(kbps, isDark)] });

/** @param {number} kbps
 * @param {boolean} isDark */
const markAt = (kbps, isDark) => ({
  type: 'line',
  x0: kbps,
  x1: kbps,
  yref: 'paper',
  y0: 0,
  y1: 1,
  line: { color: isDark ? '#fff' : '#0f172a', width: 1, dash: 'dot' },
});
