// Which matching-pursuit atoms a selection takes, as `Selection.of` of atoms/selection.py.

import { regionsOf } from './selection.js';
import { shapeOf } from './shapes.js';

/** An atom is selected if its centre lies in a region. */
export class PursuitSelection {
  /** @param {import('../types').Scene} scene */
  constructor(scene) {
    this.scene = scene;
    /** @type {{region: import('../types').Region, pieces: import('./shapes.js').Piece[]}[]} */
    this.regions = [];
  }

  /** @param {import('../types').Item[]} items */
  set(items) {
    const nyquist = this.scene.sound_rate / 2;
    this.regions = items
      .flatMap(regionsOf)
      .map((region) => ({ region, pieces: shapeOf(region).pieces(region, nyquist) }));
  }

  /** Mark the selected atoms.
   * @param {import('../types').Atoms} atoms
   * @param {Uint8Array | null} parts bit set of the atoms in selected parts, computed by Python */
  markAtoms(atoms, parts) {
    const { scene, regions } = this;
    const perBin = scene.rate / 2 / (scene.bins ?? scene.hop);
    const scales = /** @type {number[]} */ (scene.scales);
    const scaleOf = /** @type {Uint8Array} */ (atoms.scale);
    for (let i = 0; i < atoms.count; i++) {
      // the operations come in the order of ScaleSpace in Python, so that rounding agrees
      const t = atoms.frame[i] * (scene.hop / scene.rate);
      const f = (atoms.bin[i] + 0.5) * perBin;
      const reach = scales[scaleOf[i]] / 2 / scene.rate;
      let taken = 0;
      for (const { region, pieces } of regions) {
        if (region.channels && !region.channels.includes(atoms.channel[i])) continue;
        if (pieces.some((piece) => piece.row(f)?.(t, reach)))
          taken = region.op === 'subtract' ? 0 : 1;
      }
      atoms.selected[i] = taken | (parts ? (parts[i >> 3] >> (i & 7)) & 1 : 0);
    }
  }
}
