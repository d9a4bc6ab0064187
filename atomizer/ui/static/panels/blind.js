// Blind comparison of two versions (A/B/X): X is one of the two at random, and answers are counted.

import { rms } from '../audio/levels.js';
import { Player } from '../audio/player.js';
import { renderShaped } from '../audio/shaping.js';

/** @typedef {import('../types').Range} Range */
/** @typedef {import('../types').Version} Version */
/** @typedef {import('../types').Variation} Variation */
/** @typedef {import('../types').Shape} Shape */
/** @typedef {'a' | 'b' | 'x'} Choice */

const MAX_TRIM = 4; // 12 dB
/** The versions of the player that play A, B and X.
 * @type {Record<Choice, Version>} */
const PLAYED_AS = { a: 'original', b: 'filled', x: 'masked' };

/** Probability of at least this number of right answers by guessing.
 * @param {number} right
 * @param {number} total */
export function chanceOf(right, total) {
  let ways = 1; // to give k right answers
  let sum = 0;
  for (let k = 0; k <= total; k++) {
    if (k >= right) sum += ways;
    ways = (ways * (total - k)) / (k + 1);
  }
  return sum / 2 ** total;
}

/** The score as text.
 * @param {number} right
 * @param {number} total */
export function scoreOf(right, total) {
  if (!total) return 'No answers yet; ten or more are needed to judge.';
  const chance = (100 * chanceOf(right, total)).toPrecision(2);
  return right + ' of ' + total + ' right; guessing does as well in ' + +chance + ' % of cases';
}

/** Gain that brings a level to another one; 1 if either is silent.
 * @param {number} level
 * @param {number} wanted */
export const trimOf = (level, wanted) =>
  level > 1e-5 && wanted > 1e-5 ? Math.min(MAX_TRIM, Math.max(1 / MAX_TRIM, wanted / level)) : 1;

/** Random trials with their answers. */
export class Trials {
  /** @param {() => number} [random] from 0 to 1 */
  constructor(random = Math.random) {
    this.random = random;
    this.right = 0;
    this.total = 0;
    this.next();
  }

  next() {
    /** What X is. Never shown.
     * @type {'a' | 'b'} */
    this.x = this.random() < 0.5 ? 'a' : 'b';
  }

  /** Count an answer, and begin the next trial. Returns what X was.
   * @param {'a' | 'b'} guess */
  answer(guess) {
    const { x } = this;
    this.total++;
    if (guess === x) this.right++;
    this.next();
    return x;
  }
}

/**
 * What the comparison needs of the view.
 * @typedef {object} Host
 * @property {() => Variation[]} variations
 * @property {() => number | null} shown id of the variation that is shown
 * @property {() => string} original address of its sound
 * @property {(id: number) => Shape} shapeOf
 * @property {(variation: Variation | undefined) => Range} range that plays in a loop
 * @property {(url: string) => Promise<AudioBuffer>} fetch
 * @property {(text: string) => void} failed
 */

/** The dialog. */
export class BlindTest {
  /** @param {HTMLDialogElement} dialog
   * @param {Host} host */
  constructor(dialog, host) {
    this.dialog = dialog;
    this.host = host;
    this.player = new Player(() => this.sync());
    this.trials = new Trials();
    /** @type {Map<string, Trials>} of all pairs of versions that were compared */
    this.kept = new Map();
    this.request = 0;
    this.said = '';
    dialog.addEventListener('close', () => this.player.stopVoices());
    dialog.addEventListener('change', () => this.restart());
    dialog.addEventListener('click', (event) => this.clicked(event));
    dialog.addEventListener('keydown', (event) => this.pressed(event));
  }

  /** @param {'a' | 'b'} side
   * @returns {HTMLSelectElement} */
  menu(side) {
    return /** @type {HTMLSelectElement} */ (this.dialog.querySelector('[name=' + side + ']'));
  }

  /** Show the dialog for the versions that there are. */
  open() {
    const { host } = this;
    const variations = host.variations();
    for (const side of /** @type {const} */ (['a', 'b'])) {
      const fills = variations.map((v) => new Option('filled ' + v.label, 'filled ' + v.id));
      const shown = variations.find((v) => v.id === host.shown()) ?? variations.at(-1);
      this.menu(side).replaceChildren(
        new Option('original', 'original'),
        ...(shown ? [new Option('masked', 'masked ' + shown.id)] : []),
        ...fills,
      );
      this.menu(side).value = side === 'a' || !shown ? 'original' : 'filled ' + shown.id;
    }
    this.dialog.showModal();
    return this.restart();
  }

  /** The variation and the kind of version that a menu names.
   * @param {'a' | 'b'} side */
  chosen(side) {
    const [kind, id] = this.menu(side).value.split(' ');
    return { kind, variation: this.host.variations().find((v) => String(v.id) === id) };
  }

  /** The sound of a version, in its shape.
   * @param {'a' | 'b'} side */
  async bufferOf(side) {
    const { host } = this;
    const { kind, variation } = this.chosen(side);
    const original = await host.fetch(host.original());
    if (!variation) return original;
    const masked = await host.fetch(variation.masked.url);
    if (kind === 'masked') return masked;
    const filled = await host.fetch(variation.sound.url);
    const change = this.player.difference(filled, masked);
    const shape = host.shapeOf(variation.id);
    return renderShaped({ original, filled, change }, variation.spans, shape);
  }

  /** The chosen pair of versions, in their shapes. */
  get pair() {
    const sides = /** @type {const} */ (['a', 'b']).map((side) => {
      const { kind, variation } = this.chosen(side);
      return [kind, variation?.id, variation && this.host.shapeOf(variation.id)];
    });
    return JSON.stringify([this.host.original(), sides]);
  }

  /** Compare the chosen versions; their count goes on where they were compared before. */
  async restart() {
    const request = ++this.request;
    this.trials = this.kept.get(this.pair) ?? new Trials();
    this.kept.set(this.pair, this.trials);
    this.said = '';
    this.player.stopVoices();
    for (const version of Object.values(PLAYED_AS)) this.player.removeBuffer(version);
    this.sync();
    try {
      const [a, b] = await Promise.all([this.bufferOf('a'), this.bufferOf('b')]);
      if (request !== this.request || !this.dialog.open) return;
      const { player } = this;
      const range = this.host.range(this.chosen('b').variation ?? this.chosen('a').variation);
      this.trim = trimOf(rms(b, ...range), rms(a, ...range));
      player.setBuffer('original', a);
      player.setBuffer('filled', b);
      player.loopSpan = range;
      player.offset = range[0];
      this.setX();
    } catch (error) {
      this.host.failed("Can't compare these: " + /** @type {Error} */ (error).message);
    }
    this.sync();
  }

  /** Let the player's third version be X; all three are as loud as A. */
  setX() {
    const { player, trials } = this;
    const { original: a, filled: b } = player.buffers;
    const x = trials.x === 'a' ? a : b;
    if (!x) return;
    player.trims = { filled: this.trim, masked: trials.x === 'a' ? 1 : this.trim };
    player.setBuffer('masked', x);
  }

  /** Hear A, B or X, at the position where the one before is.
   * @param {Choice} choice */
  hear(choice) {
    const { player } = this;
    if (player.playing && player.version === PLAYED_AS[choice]) player.pause();
    else {
      player.choose(PLAYED_AS[choice]);
      if (!player.playing) player.start();
    }
    this.sync();
  }

  /** @param {'a' | 'b'} guess */
  answer(guess) {
    const was = this.trials.answer(guess);
    this.said = (was === guess ? 'Right' : 'Wrong') + ': X was ' + was.toUpperCase() + '. ';
    this.player.stopVoices();
    this.setX();
    this.sync();
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const button = /** @type {Element} */ (event.target).closest('button');
    const { hear, answer, again } = button?.dataset ?? {};
    if (hear) this.hear(/** @type {Choice} */ (hear));
    if (answer) this.answer(/** @type {'a' | 'b'} */ (answer));
    if (again !== undefined) {
      this.kept.delete(this.pair);
      this.restart();
    }
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const key = event.key.toLowerCase();
    if (/** @type {Element} */ (event.target).tagName === 'SELECT' || !(key in PLAYED_AS)) return;
    if (!this.isReady) return;
    event.preventDefault();
    this.hear(/** @type {Choice} */ (key));
  }

  get isReady() {
    return !!this.player.buffers.masked && this.menu('a').value !== this.menu('b').value;
  }

  /** Bring buttons and score up to date. */
  sync() {
    const { dialog, player, trials } = this;
    /** @type {NodeListOf<HTMLButtonElement>} */
    const buttons = dialog.querySelectorAll('[data-hear], [data-answer]');
    for (const button of buttons) {
      const { hear } = button.dataset;
      button.disabled = !this.isReady;
      if (!hear) continue;
      const isHeard = player.playing && player.version === PLAYED_AS[/** @type {Choice} */ (hear)];
      button.setAttribute('aria-pressed', String(isHeard));
    }
    const again = /** @type {HTMLElement} */ (dialog.querySelector('[data-again]'));
    again.hidden = !trials.total;
    const score = /** @type {HTMLElement} */ (dialog.querySelector('[role=status]'));
    const isSame = this.menu('a').value === this.menu('b').value;
    score.textContent = isSame
      ? 'Choose two different versions.'
      : this.said + scoreOf(trials.right, trials.total);
  }
}
