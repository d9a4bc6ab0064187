// Lasso: selects a polygon.

import { baseOf, edgeScale, pairsOf } from './tool.js';

const MIN_TRAVEL = 4; // CSS pixels

/** @type {import('./tool.js').Tool} */
export const lasso = {
  id: 'lasso',
  key: 'l',
  label: 'Lasso',
  title: 'Lasso: draw around atoms',
  help: 'lasso',
  hasText: true,
  icon:
    '<path d="M10 3.500c4.200 0 7 2 7 4.700S14.200 13 10 13s-7-2-7-4.800 2.800-4.700 7-4.700z' +
    'M6 12.500c-1.500.8-2 3.500 1 4.500" stroke-dasharray="3 1.500" />',
  cursor: 'crosshair',

  toRegion(points, picture, options) {
    if (points.length < 3 || options.travel <= MIN_TRAVEL) return null;
    return {
      kind: 'lasso',
      ...baseOf(points, options),
      points: pairsOf(points),
      scale: edgeScale(picture),
    };
  },
};
