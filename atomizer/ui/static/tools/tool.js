// What a tool is, and what the drawing tools share.

/** @typedef {import('../types').Item} Item */
/** @typedef {import('../types').PlanePoint} PlanePoint */
/** @typedef {import('../types').Projection} Projection */

/**
 * @typedef {object} DrawOptions
 * @property {'add' | 'subtract'} op
 * @property {number} radius of the brush in CSS pixels
 * @property {number} maxPartials of the harmonic brush
 * @property {number} drop dB between the clicked atom and others, of the wand
 * @property {number} travel CSS pixels that the pointer has moved
 */

/**
 * A tool of the toolbar. One that draws makes a region of the points it was dragged through; the
 * outline of the region follows from its shape (state/shapes.js).
 * @typedef {object} Tool
 * @property {string} id name of its action
 * @property {string} key keyboard shortcut
 * @property {string} label for screen readers
 * @property {string} title tooltip, without the key
 * @property {string} help line of the shortcut sheet
 * @property {boolean} [hasText] whether the button shows the label
 * @property {string} icon SVG of 20 x 20
 * @property {string} cursor CSS cursor over the picture
 * @property {boolean} [isBrush] whether it paints with the round cursor, and a click is a dab
 * @property {boolean} [isPoint] whether a click makes the region
 * @property {boolean} [isTouchOnly] whether it is offered on touch screens only
 * @property {boolean} [isBox] whether only the first and the last point count
 * @property {(points: PlanePoint[], picture: Projection, options: DrawOptions) => Item | null}
 *   [toRegion] null if the drag is too small
 */

/** Fields that all drawn regions share.
 * @param {PlanePoint[]} points
 * @param {DrawOptions} options
 * @returns {Item} */
export const baseOf = ([{ lane }], { op }) => ({
  op,
  ...(lane.channel === null ? {} : { channels: [lane.channel] }),
});

/** @param {PlanePoint[]} points
 * @returns {import('../types').Point[]} */
export const pairsOf = (points) => points.map(({ t, f }) => [t, f]);

/** The scale on which edges of a drawn region are straight.
 * @param {Pick<Projection, 'scale'>} picture */
export const edgeScale = (picture) => (picture.scale === 'linear' ? 'linear' : 'log');

/** Size of a brush of `radius` CSS pixels at a point: seconds, and Hz or octaves.
 * @param {Pick<Projection, 'secondsAt' | 'hertzAt'>} picture
 * @param {PlanePoint} point
 * @param {number} radius
 * @param {'log' | 'linear'} scale
 * @returns {[number, number]} */
export function brushSize(picture, { x, y, lane }, radius, scale) {
  const seconds = Math.abs(picture.secondsAt(x + radius) - picture.secondsAt(x));
  const above = picture.hertzAt(y - radius, lane);
  const below = Math.max(picture.hertzAt(y + radius, lane), 1);
  return [
    seconds,
    scale === 'log'
      ? Math.max(Math.log2(above / below) / 2, 1e-3)
      : Math.max((above - below) / 2, 1),
  ];
}
