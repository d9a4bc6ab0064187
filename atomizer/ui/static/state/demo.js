// An example plays by itself: masked once, then filled, in a loop around its hole; an original with
// a fault is heard before. Any choice of the user ends it.

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
  /** @param {Pick<import('../view.js').View, 'player' | 'playback' | 'store' | 'display'>} view */
  constructor(view) {
    this.view = view;
    /** Versions that are still to be played, one pass of the loop each.
     * @type {import('../types').Version[]} */
    this.next = [];
    this.passes = 0;
  }

  /** Play the example of the shown variation.
   * @param {Range} hole
   * @param {boolean} fromOriginal whether the original plays first */
  start(hole, fromOriginal) {
    const { player, playback, store } = this.view;
    const range = demoRange(hole, player.duration(), playback.margin);
    store.set({ looping: true });
    player.stopVoices();
    [player.offset] = range;
    player.loopSpan = range;
    playback.chooseVersion(fromOriginal ? 'original' : 'masked');
    player.start();
    this.passes = 0;
    this.next = fromOriginal ? ['masked', 'filled'] : ['filled'];
  }

  /** Change to the next version when one has played once; called for every picture. */
  tick() {
    const { player, playback, display } = this.view;
    const [version, ...later] = this.next;
    if (!version || player.passes() <= this.passes) return;
    playback.chooseVersion(version);
    this.next = later; // the choice of a version ends the example
    this.passes++;
    if (version === 'filled') display.reveal();
  }

  cancel() {
    this.next = [];
  }
}
