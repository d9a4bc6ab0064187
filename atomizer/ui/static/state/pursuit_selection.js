// Which matching-pursuit atoms a selection takes, as `Selection.of` of atoms/selection.py.

import { regionsOf } from './selection.js';
import { shapeOf } from './shapes.js';

/** @typedef {import('../types').Region} Region */
/** @typedef {import('./shapes.js').RowTest} RowTest */

/** An atom is selected if its centre lies in a region. */
export class PursuitSelection {
  /** @param {import('../types').Scene} scene */
  constructor(scene) {
    this.scene = scene;
    /** @type {{region: Region, testsOf: (bin: number) => RowTest[]}[]} */
    this.regions = [];
  }

  /** @param {import('../types').Item[]} items */
  set(items) {
    this.regions = items
      .flatMap(regionsOf)
      .map((region) => ({ region, testsOf: this.testsByBin(region) }));
  }

  /** Function that returns the tests for the atoms of a bin; atoms of the same bin share them.
   * @param {Region} region
   * @returns {(bin: number) => RowTest[]} */
  testsByBin(region) {
    const { scene } = this;
    const perBin = scene.rate / 2 / (scene.bins ?? scene.hop);
    const pieces = shapeOf(region).pieces(region, scene.sound_rate / 2);
    /** @type {Map<number, RowTest[]>} */
    const known = new Map();
    return (bin) => {
      let tests = known.get(bin);
      if (!tests) {
        const f = (bin + 0.5) * perBin;
        tests = pieces.flatMap((piece) => piece.row(f) ?? []);
        known.set(bin, tests);
      }
      return tests;
    };
  }

  /** Mark the selected atoms.
   * @param {import('../types').Atoms} atoms
   * @param {Uint8Array | null} parts bit set of the atoms in selected parts, computed by Python */
  markAtoms(atoms, parts) {
    const { scene, regions } = this;
    const scales = /** @type {number[]} */ (scene.scales);
    const scaleOf = /** @type {Uint8Array} */ (atoms.scale);
    for (let i = 0; i < atoms.count; i++) {
      // the operations come in the order of ScaleSpace in Python, so that rounding agrees
      const t = atoms.frame[i] * (scene.hop / scene.rate);
      const reach = scales[scaleOf[i]] / 2 / scene.rate;
      let taken = 0;
      for (const { region, testsOf } of regions) {
        if (region.channels && !region.channels.includes(atoms.channel[i])) continue;
        if (testsOf(atoms.bin[i]).some((test) => test(t, reach)))
          taken = region.op === 'subtract' ? 0 : 1;
      }
      atoms.selected[i] = taken | (parts ? (parts[i >> 3] >> (i & 7)) & 1 : 0);
    }
  }
}
