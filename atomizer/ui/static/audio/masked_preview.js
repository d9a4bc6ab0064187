// Masked preview: the sound without the selected atoms, heard at once. A fill later brings its own
// masked version.

import { amplitudesOf } from '../plot/atoms.js';
import { isPursuit } from '../plot/pursuit.js';
import { PursuitSynthesiser } from './pursuit_synthesis.js';
import { Synthesiser } from './synthesis.js';

/** @typedef {import('../types').Scene} Scene */
/** @typedef {import('../types').Atoms} Atoms */

/**
 * @typedef {object} Host
 * @property {() => boolean} isActive whether no fill is shown, whose masked version would play
 * @property {() => void} removed called if the masked version was playing and is gone
 * @property {() => boolean} erasesSound whether everything that makes atoms sound is unknown
 */

/** Keeps the player's version "masked" up to date while no fill is shown. */
export class MaskedPreview {
  /** @param {import('./player.js').Player} player
   * @param {Host} host */
  constructor(player, host) {
    this.player = player;
    this.host = host;
    /** @type {Atoms | null} */
    this.atoms = null;
    /** @type {import('../types').Renderer | null} */
    this.synthesiser = null;
    /** @type {Promise<void> | null} */
    this.rendering = null;
    /** @type {{scene: Scene, base: Scene | null, original: Atoms} | null} */
    this.requested = null;
    this.exists = false;
  }

  /** Render again after the selection or the atoms have changed. The last of several calls counts.
   * @param {Pick<import('../types').ViewState, 'scene' | 'base' | 'original'>} state */
  update({ scene, base, original }) {
    if (scene && original) this.requested = { scene, base, original };
    if (!this.rendering) {
      this.rendering = this.render().finally(() => {
        this.rendering = null;
        this.player.onChange();
      });
      this.player.onChange();
    }
    return this.rendering;
  }

  async render() {
    while (this.requested) {
      const { scene, base, original } = this.requested;
      this.requested = null;
      if (!this.host.isActive()) continue;
      if (scene !== base || !this.isPossible(scene) || !original.selected.includes(1)) {
        this.clear();
        continue;
      }
      if (this.atoms !== original || !this.synthesiser) {
        const Renderer = isPursuit(scene) ? PursuitSynthesiser : Synthesiser;
        this.atoms = original;
        this.synthesiser = new Renderer(scene, original, amplitudesOf(original, scene));
      }
      const masked = await (isPursuit(scene)
        ? this.renderRemaining(scene, original, this.synthesiser)
        : this.subtractSelected(scene, original, this.synthesiser));
      const outdated = this.requested || this.atoms !== original || !this.host.isActive();
      if (!masked || outdated) continue;
      this.exists = true;
      this.player.setBuffer('masked', masked);
      this.player.onChange();
    }
  }

  /** Whether the preview can be made: pursuit atoms are erased whatever is unknown of them, MDCT
   * atoms only if none of their sound is known.
   * @param {Scene} scene */
  isPossible(scene) {
    return (
      isPursuit(scene) ||
      (this.host.erasesSound() && scene.channels <= 2 && !!this.player.buffers.original)
    );
  }

  /** The sound of the atoms that are not selected.
   * @param {Scene} scene
   * @param {Atoms} atoms
   * @param {import('../types').Renderer} synthesiser */
  async renderRemaining(scene, { selected }, synthesiser) {
    const channels = await synthesiser.renderFirst(1, selected.slice()); // rank 0: not selected
    return channels && this.player.createBuffer(channels, scene.rate);
  }

  /** The original minus the selected atoms, so that atoms too quiet to be drawn stay elsewhere.
   * @param {Scene} scene
   * @param {Atoms} atoms
   * @param {import('../types').Renderer} synthesiser */
  async subtractSelected(scene, { selected }, synthesiser) {
    const { player } = this;
    const { original } = player.buffers;
    const ranks = selected.map((isSelected) => 1 - isSelected);
    const channels = await synthesiser.renderFirst(1, ranks);
    const removed = channels && (await player.resample(channels, scene.rate));
    const isCurrent = removed && original && original === player.buffers.original;
    return isCurrent ? player.difference(original, removed) : null;
  }

  clear() {
    this.atoms = null;
    this.synthesiser = null;
    if (!this.exists) return;
    this.exists = false;
    if (this.player.version === 'masked') this.host.removed();
    this.player.removeBuffer('masked');
  }
}
