// Box: selects a rectangle.

import { openAtEdges } from './edit.js';
import { baseOf } from './tool.js';

const MIN_SIZE = 3; // CSS pixels

/** @type {import('./tool.js').Tool} */
export const box = {
  id: 'box',
  key: 'b',
  label: 'Box',
  title: 'Box: drag to select',
  help: 'box',
  hasText: true,
  icon: '<rect x="3" y="4.5" width="14" height="11" rx="1" stroke-dasharray="3 2" />',
  cursor: 'crosshair',
  isBox: true,

  toRegion(points, picture, options) {
    const first = points[0];
    const last = points[points.length - 1];
    if (Math.abs(last.x - first.x) < MIN_SIZE || Math.abs(last.y - first.y) < MIN_SIZE) return null;
    /** @type {import('../types').Item} */
    const drawn = {
      kind: 'rect',
      ...baseOf(points, options),
      t: [Math.min(first.t, last.t), Math.max(first.t, last.t)],
      f: [Math.min(first.f, last.f), Math.max(first.f, last.f)],
    };
    return openAtEdges(drawn, first.lane, picture);
  },
};
