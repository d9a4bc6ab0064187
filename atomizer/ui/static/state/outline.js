// The outline of connected cells of the MDCT grid, as a lasso that takes them and their neighbours.

/** @typedef {import('../types').Point} Point */

/** Steps to the right, down, left and up along a grid of (frame, bin) corners. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
];

/** Cells with their neighbours on all sides, so that gaps of one cell close.
 * @param {Set<number>} cells of frame * hop + bin
 * @param {{frames: number, hop: number}} scene */
function dilate(cells, { frames, hop }) {
  const out = new Set();
  for (const cell of cells) {
    const [m, k] = [Math.floor(cell / hop), cell % hop];
    for (let frame = Math.max(0, m - 1); frame <= Math.min(frames - 1, m + 1); frame++)
      for (let bin = Math.max(0, k - 1); bin <= Math.min(hop - 1, k + 1); bin++)
        out.add(frame * hop + bin);
  }
  return out;
}

/** The outer outline of connected cells and their neighbours, corner by corner.
 * @param {Set<number>} cells of frame * hop + bin
 * @param {{frames: number, hop: number, rate: number}} scene
 * @returns {Point[]} */
export function outlineOf(cells, scene) {
  const { frames, hop, rate } = scene;
  const wide = dilate(cells, scene);
  const isInside = (/** @type {number} */ m, /** @type {number} */ k) =>
    m >= 0 && m < frames && k >= 0 && k < hop && wide.has(m * hop + k);
  let first = [Infinity, Infinity];
  for (const cell of wide) {
    const [m, k] = [Math.floor(cell / hop), cell % hop];
    if (k < first[1] || (k === first[1] && m < first[0])) first = [m, k];
  }
  /** @type {Point[]} */
  const corners = [];
  let [m, k] = first;
  let direction = 0; // along the lowest edge, with the cells on the right-hand side
  do {
    corners.push([((m - 0.5) * scene.hop) / rate, (k * rate) / 2 / hop]);
    do {
      m += STEPS[direction][0];
      k += STEPS[direction][1];
    } while (isStraight(isInside, m, k, direction) && !(m === first[0] && k === first[1]));
    direction = turned(isInside, m, k, direction);
  } while (m !== first[0] || k !== first[1]);
  return corners.map(([t, f]) => [Math.max(0, t), f]);
}

/** The cells ahead of a corner, to the left and to the right of the direction.
 * @param {(m: number, k: number) => boolean} isInside
 * @param {number} m
 * @param {number} k
 * @param {number} direction */
function ahead(isInside, m, k, direction) {
  const cells = [
    [isInside(m, k - 1), isInside(m, k)],
    [isInside(m, k), isInside(m - 1, k)],
    [isInside(m - 1, k), isInside(m - 1, k - 1)],
    [isInside(m - 1, k - 1), isInside(m, k - 1)],
  ];
  return cells[direction];
}

/** @type {(isInside: (m: number, k: number) => boolean, m: number, k: number, direction: number)
 *   => boolean} */
const isStraight = (isInside, m, k, direction) => {
  const [left, right] = ahead(isInside, m, k, direction);
  return right && !left;
};

/** @type {(isInside: (m: number, k: number) => boolean, m: number, k: number, direction: number)
 *   => number} */
const turned = (isInside, m, k, direction) => {
  const [left, right] = ahead(isInside, m, k, direction);
  if (!right) return (direction + 1) % 4;
  return left ? (direction + 3) % 4 : direction;
};
