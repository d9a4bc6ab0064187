// What is erased is heard at once: the sound without the selected atoms is the masked version, until a fill has its own.

import { amplitudesOf } from '../plot/atoms.js';
import { isPursuit, PursuitSynthesiser } from '../plot/pursuit.js';
import { Synthesiser } from './synthesis.js';

export class Eraser {
  /**
   * player  Player
   * host    {chosen(): whether no fill is shown, whose masked version it would be; gone(): there is no masked version any more;
   *          erases(): whether nothing stays known of how the selected atoms sound}
   */
  constructor(player, host) {
    Object.assign(this, { player, host, atoms: null, making: null });
  }

  /** The selection, or the atoms, have changed. Of several calls in a row the last one counts. */
  listen({ scene, base, original }) {
    this.wanted = { scene, base, original };
    if (!this.making) {
      this.making = this.make().finally(() => {
        this.making = null;
        this.player.onChange();
      });
      this.player.onChange();
    }
    return this.making;
  }

  async make() {
    while (this.wanted) {
      const { scene, base, original } = this.wanted;
      this.wanted = null;
      if (!this.host.chosen()) continue;
      if (scene !== base || !this.can(scene) || !original.selected.includes(1)) {
        this.forget();
        continue;
      }
      if (this.atoms !== original) {
        const How = isPursuit(scene) ? PursuitSynthesiser : Synthesiser;
        Object.assign(this, {
          atoms: original,
          synthesiser: new How(scene, original, amplitudesOf(original, scene)),
        });
      }
      const masked = await (isPursuit(scene)
        ? this.others(scene, original)
        : this.without(scene, original));
      if (!masked || this.wanted || this.atoms !== original || !this.host.chosen()) continue;
      this.made = true;
      this.player.put('masked', masked);
      this.player.onChange();
    }
  }

  /** Atoms of a pursuit are erased whatever is unknown of them; of the MDCT's, only those that keep nothing have no sound. */
  can(scene) {
    return (
      isPursuit(scene) ||
      (this.host.erases() && scene.channels <= 2 && !!this.player.buffers.original)
    );
  }

  /** The sound of the atoms that are not selected. */
  async others(scene, { selected }) {
    const channels = await this.synthesiser.first(1, selected.slice()); // a rank of 0 for what is not selected
    return channels && this.player.buffer(channels, scene.rate);
  }

  /** The original less the sound of the selected atoms, so that what is too quiet to be drawn stays elsewhere. */
  async without(scene, { selected }) {
    const { player } = this,
      whole = player.buffers.original,
      channels = await this.synthesiser.first(
        1,
        selected.map((taken) => 1 - taken),
      );
    const taken = channels && (await player.resampled(channels, scene.rate));
    return taken && whole === player.buffers.original ? player.difference(whole, taken) : null;
  }

  forget() {
    this.atoms = this.synthesiser = null;
    if (!this.made) return;
    this.made = false;
    if (this.player.version === 'masked') this.host.gone();
    this.player.drop('masked');
    this.player.onChange();
  }
}
