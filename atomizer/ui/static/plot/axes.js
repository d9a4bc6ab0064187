// The axes of the picture, and the hatching of time that was added to the sound.

import * as format from '../util/format.js';
import { noteTicks, SCALES, ticks } from './scales.js';

/** @typedef {import('./picture.js').Picture} Picture */

export const MARGIN = { l: 56, r: 8, t: 8, b: 28 }; // CSS pixels around the lanes
const HATCH_GAP = 9; // CSS pixels

/** The layout of Plotly for the visible range of a picture.
 * @param {Picture} picture */
export function axisLayout(picture) {
  const ink = picture.dark ? '#9aa3b5' : '#5b6475';
  const grid = picture.dark ? 'rgba(255,255,255,.06)' : 'rgba(15,23,42,.07)';
  const height = Math.max(60, picture.size.height);
  const lanes = picture.lanes();
  const inner = height - MARGIN.t - MARGIN.b;
  const axis = {
    gridcolor: grid,
    zeroline: false,
    ticks: 'outside',
    ticklen: 4,
    tickcolor: grid,
    fixedrange: true,
  };
  /** @type {Record<string, any>} */
  const layout = {
    margin: { ...MARGIN },
    width: picture.size.width,
    height,
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { color: ink, size: 11, family: 'system-ui, sans-serif' },
    showlegend: false,
    hovermode: false,
  };
  lanes.forEach((lane, k) => {
    const bottom = 1 - (lane.top - MARGIN.t + lane.height) / inner;
    const name = 'yaxis' + (k ? k + 1 : '');
    layout[name] = {
      ...axis,
      ...tickLabels(picture, lane),
      range: picture.u,
      domain: [Math.max(0, bottom), Math.min(1, bottom + lane.height / inner)],
    };
    if (lane.channel !== null)
      layout[name].title = {
        text: format.channelNames(picture.scene)[lane.channel],
        font: { size: 10 },
        standoff: 2,
      };
  });
  layout.xaxis = {
    ...axis,
    ticksuffix: ' s',
    range: picture.t,
    anchor: lanes.length > 1 ? 'y' + lanes.length : 'y',
  };
  return layout;
}

/** @param {Picture} picture
 * @param {import('../types').Lane} lane */
function tickLabels(picture, lane) {
  const found = (picture.notes ? noteTicks : ticks)(
    picture.scale,
    Math.max(picture.hertz(picture.u[0]), SCALES[picture.scale].lowest),
    picture.hertz(picture.u[1]),
    lane.height,
  );
  return {
    tickmode: 'array',
    tickvals: found.map((tick) => picture.unit(tick.hertz)),
    ticktext: found.map((tick) => tick.text),
  };
}

/** Draw slanted lines over time that was added to the sound, and clear the gaps between lanes.
 * @param {CanvasRenderingContext2D} context
 * @param {import('../types').Plane} plane
 * @param {import('../types').Scene} scene
 * @param {boolean} isDark */
export function drawHatch(context, plane, scene, isDark) {
  for (const region of scene.added || []) {
    if (!region.t) continue;
    const start = ((region.t[0] ?? 0) - plane.t[0]) / (plane.t[1] - plane.t[0]);
    const x = Math.max(0, start * plane.width);
    context.save();
    context.beginPath();
    context.rect(x, 0, plane.width - x, plane.height);
    context.clip();
    context.strokeStyle = isDark ? 'rgba(255,255,255,.06)' : 'rgba(15,23,42,.06)';
    context.lineWidth = plane.ratio;
    context.beginPath();
    for (let at = -plane.height; at < plane.width; at += HATCH_GAP * plane.ratio) {
      context.moveTo(at, plane.height);
      context.lineTo(at + plane.height, 0);
    }
    context.stroke();
    context.restore();
  }
  plane.lanes.slice(1).forEach((lane, k) => {
    const end = plane.lanes[k].top + plane.lanes[k].height;
    context.clearRect(0, end, plane.width, lane.top - end);
  });
}
