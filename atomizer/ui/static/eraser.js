// What is erased of matching-pursuit atoms is heard at once: the sound of those that remain is the masked version, until a fill has its own.

import { amplitudesOf } from './atoms.js';
import { isPursuit, PursuitSynthesiser } from './pursuit.js';

export class Eraser {
  /**
   * player  Player
   * host    {chosen(): whether no fill is shown, whose masked version it would be; gone(): there is no masked version any more}
   */
  constructor(player, host) { Object.assign(this, { player, host, atoms: null, making: null }); }

  /** The selection, or the atoms, have changed. Of several calls in a row the last one counts. */
  listen({ scene, base, original }) {
    this.wanted = { scene, base, original };
    this.making = this.making || this.make().finally(() => { this.making = null; });
    return this.making;
  }

  async make() {
    while (this.wanted) {
      const { scene, base, original } = this.wanted;
      this.wanted = null;
      if (!this.host.chosen()) continue;
      if (!isPursuit(base) || scene !== base || !original.selected.includes(1)) { this.forget(); continue; }
      if (this.atoms !== original) {
        Object.assign(this, { atoms: original, synthesiser: new PursuitSynthesiser(scene, original, amplitudesOf(original, scene)) });
      }
      const channels = await this.synthesiser.first(1, original.selected.slice());   // a rank of 0 for what is not selected
      if (!channels || this.wanted || !this.host.chosen()) continue;
      this.made = true;
      this.player.put('masked', this.player.buffer(channels, scene.rate));
      this.player.onChange();
    }
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
