// Brushes: select what lies near a line, and the harmonic one also its multiples.

import { countHarmonics } from '../state/selection.js';
import { baseOf, brushSize, edgeScale, pairsOf } from './tool.js';

/** @type {import('./tool.js').Tool} */
export const brush = {
  id: 'brush',
  key: 'p',
  label: 'Brush',
  title: 'Brush: paint over atoms',
  help: 'brush (paint)',
  hasText: true,
  icon:
    '<path d="M17 3.500l-7.500 8.500 1.500 1.500L17 5z' +
    'M9 12.500c-2 0-3 1-3 2.500 0 1-.8 1.800-2.500 2 3 1 7 .2 7-3z" />',
  cursor: 'none',
  isBrush: true,

  toRegion(points, picture, options) {
    const scale = edgeScale(picture);
    return {
      kind: 'brush',
      ...baseOf(points, options),
      points: pairsOf(points),
      size: brushSize(picture, points[0], options.radius, scale),
      scale,
    };
  },
};

/** @type {import('./tool.js').Tool} */
export const harmonics = {
  id: 'harmonics',
  key: 'k',
  label: 'Harmonic brush',
  title: 'Harmonic brush: a partial and all its multiples',
  help: 'harmonic brush: a partial and all its multiples',
  icon:
    '<path d="M3 16.500c4-2 9-2 14 0M3 12.500c4-2 9-2 14 0' +
    'M3 8.500c4-2 9-2 14 0M3 4.500c4-2 9-2 14 0" />',
  cursor: 'none',
  isBrush: true,

  toRegion(points, picture, options) {
    const top = picture.scene.sound_rate / 2;
    return {
      kind: 'brush',
      ...baseOf(points, options),
      points: pairsOf(points),
      size: brushSize(picture, points[0], options.radius, 'linear'),
      scale: 'linear',
      harmonics: countHarmonics(pairsOf(points), top, options.maxPartials),
    };
  },
};
