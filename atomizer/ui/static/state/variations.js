// Which variation is shown and heard: the one that is chosen, or that of the selection.

import { isPursuit } from '../plot/pursuit.js';
import { answersSelection, isPending, shapeOfFill } from './selectors.js';

/** @typedef {import('../types').Version} Version */

/** Chooses variations of the view. */
export class Variations {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
    /** Number of the latest request for a variation. */
    this.number = 0;
  }

  /** Drop the variation that is being loaded. */
  cancel() {
    this.number++;
  }

  /**
   * Show and play a variation, or only the original for null.
   * False if a later call has replaced this one.
   * @param {number | null} id
   * @param {Version} [version]
   */
  async choose(id, version) {
    const { view } = this;
    const { state, player, store, loader } = view;
    const variation = state.variations.find((v) => v.id === id) || null;
    const request = ++this.number;
    store.set(
      variation ? { variation, showOriginal: false, lastChosenId: id } : { variation, shown: null },
    );
    if (variation) await loader.showResult(variation);
    else if (state.base) await loader.show(state.base);
    // a running fill may have replaced the picture, but this variation is still to be heard
    if (request !== this.number) return false;
    await player.load({
      original: state.originalUrl ?? '',
      ...(variation && { masked: variation.masked.url, filled: variation.sound.url }),
    });
    if (request !== this.number) return false;
    store.set({ heardId: variation && variation.id });
    player.setShape(shapeOfFill(state, state.heardId), variation?.spans ?? []);
    if (!variation) view.maskedPreview.update(state);
    view.playback.chooseVersion(
      version || (player.buffers[state.version] ? state.version : 'original'),
    );
    view.display.repaint();
    return true;
  }

  /** Go back to the original if the selection is not that of the shown variation: its hole is
   * elsewhere. A selection that is there `again` shows its variation once more.
   * @param {boolean} [again] */
  async followSelection(again = false) {
    const { state, store, items } = this.view;
    if (state.busy) return;
    if (state.variation && isPending(state)) {
      store.set({ showOriginal: true });
      await this.choose(null, 'original');
    }
    if (!again || state.variation) return;
    const answer = state.variations.findLast((v) => items.length && answersSelection(state, v));
    if (answer) await this.choose(answer.id, 'filled');
  }

  /** For a fill on top of matching-pursuit atoms: the original is drawn as those atoms, every other
   * version as MDCT atoms, which the fill works on. */
  async showScene() {
    const { loader, display, state } = this.view;
    const { variation, base, live, version } = state;
    if (!isPursuit(base) || !base || !variation || live) return;
    const scene = version === 'original' ? base : variation.scene;
    if (scene.id === loader.requested?.id) return;
    if (scene === base) await loader.show(base);
    else await loader.showResult(variation);
    display.repaint();
  }
}
