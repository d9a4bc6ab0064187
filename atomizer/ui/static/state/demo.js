// An example plays by itself: masked once, then filled, in a loop around its hole. Any choice of
// the user ends it.

import { FILLED } from '../plot/atoms.js';

/** @typedef {import('../types').Range} Range */

const LONGEST = 4; // seconds of the loop

/** The loop of an example: its hole with a margin, and no more than its first seconds.
 * @param {Range} hole seconds
 * @param {number} duration of the sound
 * @param {number} margin seconds
 * @returns {Range} */
export function demoRange([from, to], duration, margin) {
  const start = Math.max(0, from - margin);
  return [start, Math.min(duration, to + margin, start + LONGEST)];
}

/** Time span of the filled-in atoms in seconds; null if there are none.
 * @param {Pick<import('../types').Atoms, 'count' | 'frame' | 'state'>} atoms
 * @param {number} secondsPerFrame
 * @returns {Range | null} */
export function spanOfFill(atoms, secondsPerFrame) {
  let [first, last] = [Infinity, -1];
  for (let i = 0; i < atoms.count; i++) {
    if (atoms.state[i] !== FILLED) continue;
    first = Math.min(first, atoms.frame[i]);
    last = Math.max(last, atoms.frame[i]);
  }
  return last < 0 ? null : [first * secondsPerFrame, last * secondsPerFrame];
}

/** The example that plays. */
export class Demo {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
    this.isRunning = false;
  }

  /** Play the example of the shown variation.
   * @param {Range} hole */
  start(hole) {
    const { view } = this;
    const { player } = view;
    const range = demoRange(hole, player.duration(), view.playback.margin);
    view.store.set({ looping: true });
    player.stopVoices();
    [player.offset] = range;
    player.loopSpan = range;
    view.playback.chooseVersion('masked');
    player.start();
    this.isRunning = true;
  }

  /** Change to filled when masked has played once; called for every picture. */
  tick() {
    const { view } = this;
    if (!this.isRunning || view.player.passes() < 1) return;
    view.playback.chooseVersion('filled');
    view.display.reveal();
  }

  cancel() {
    this.isRunning = false;
  }
}
