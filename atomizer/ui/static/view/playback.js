// What is played and compared: versions, variations, the loop of the selection, erasing, exports.

import { extentOf, padded, startOfFill, timeRangeOf } from '../state/selection.js';
import { exportedVersion, shapeOfFill } from '../state/selectors.js';
import { numberIn } from '../util/fields.js';
import { areFeaturesChecked, checkFeatures, plotStyleOf } from '../util/files.js';
import * as format from '../util/format.js';
import { neighbour, summaryOf } from '../panels/variations.js';

/** @typedef {import('../types').Version} Version */
/** @typedef {import('../types').Variation} Variation */

/** Without them, nothing of an atom is heard. */
export const ERASING_FEATURES = ['velocity', 'sign'];

/** Plays the versions of a view. */
export class Playback {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
    this.isTicking = false;
    /** @type {Variation | null} what is being filled in again from another source */
    this.refilled = null;
  }

  playerChanged() {
    const { player, state, store, maskedPreview } = this.view;
    const { playing, matched } = player;
    const playable = /** @type {Version[]} */ (Object.keys(player.buffers));
    const areSame = playable.join() === state.playable.join();
    store.set({
      playing,
      matched,
      playable: areSame ? state.playable : playable,
      isRenderingMasked: !!maskedPreview.rendering,
    });
    this.view.display.showWaveform();
    this.showPosition();
    if (playing) this.tick();
  }

  showPosition() {
    const position = this.view.player.position();
    this.view.picture.placePlayhead(position);
    this.view.waveform.placePlayhead(position);
    this.view.find('time').textContent = format.clock(position);
    this.view.find('duration').textContent = ' / ' + format.clock(this.view.player.duration());
  }

  /** Move the playhead while the sound plays. */
  tick() {
    if (this.isTicking) return;
    this.isTicking = true;
    const next = () => {
      if (this.view.player.ended()) this.view.player.rewind();
      this.view.demo.tick();
      this.showPosition();
      this.isTicking = this.view.player.playing;
      if (this.isTicking) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  /** @param {Version} version */
  chooseVersion(version) {
    if (!this.view.player.buffers[version]) return;
    this.view.demo.cancel();
    this.view.display.endReveal();
    this.view.store.set({ version });
    this.view.player.choose(version);
    this.view.variations.showScene();
    this.view.display.repaint();
  }

  /** @param {Version} version
   * @returns {HTMLButtonElement} */
  versionButton(version) {
    return /** @type {HTMLButtonElement} */ (
      this.view.root.querySelector('[data-version=' + version + ']')
    );
  }

  /** @param {boolean} open */
  orderPanelOpened(open) {
    this.view.store.set({ isOrderOpen: open });
    this.versionButton('first').hidden = !open;
    if (!open) {
      if (this.view.state.version === 'first') this.chooseVersion('original');
      this.view.player.removeBuffer('first');
    } else {
      const rendered = this.view.orders.rendering || Promise.resolve();
      rendered.then(() => {
        if (this.view.orders.open) this.chooseVersion('first');
      });
    }
    this.view.display.repaint();
  }

  /** The time range of the selection, or null. */
  selectedRange() {
    return timeRangeOf(this.view.items, this.view.player.duration());
  }

  /** The time range that plays for the selection: with a margin before and after it, or null. */
  loopRange() {
    const range = this.selectedRange();
    return range && padded(range, this.margin, this.view.player.duration());
  }

  /** Seconds that play before and after the selection. */
  get margin() {
    return numberIn(this.view.find('margin'));
  }

  /** Where a variation differs from the original, with a margin before and after it.
   * @param {Variation} [variation]
   * @returns {import('../types').Range} */
  rangeAround(variation) {
    const spans = variation?.spans ?? [];
    const end = this.view.player.duration();
    if (!spans.length) return [0, end];
    return padded(extentOf(spans), this.margin, end);
  }

  /** Move to a new fill so that it is heard next, unless the position is there already.
   * @param {Variation} variation */
  goToFill({ spans }) {
    const { player } = this.view;
    const start = startOfFill(player.position(), spans);
    if (start !== null) player.seek(start);
  }

  /** Fill the shown variation in again, from another source.
   * @param {{source: import('../types').Range} | {not_from: import('../types').Range}} from */
  refill(from) {
    const { variation, busy } = this.view.state;
    if (!variation || busy) return;
    this.refilled = variation;
    this.view.trigger('refill', { id: variation.id, ...from });
  }

  /** The answer to `refill` is there, if there was one.
   * @param {Variation | null} variation that came of it; null where the source was refused */
  refillEnded(variation) {
    const { refilled, view } = this;
    this.refilled = null;
    if (!refilled) return;
    if (variation) view.editor.replaceFill(refilled.id, variation.id);
    view.sources.putBack();
  }

  /** @param {1 | -1} step */
  async stepVariation(step) {
    const { variations, variation } = this.view.state;
    const id = neighbour(variations, variation?.id ?? null, step);
    if (id !== null) await this.openVariation(id);
  }

  /** Show a variation with its selection, and what it is in the status line.
   * @param {number} id */
  async openVariation(id) {
    const { state } = this.view;
    // masked and the change are compared between variations
    const version = ['original', 'first'].includes(state.version) ? 'filled' : undefined;
    let isShown = false;
    try {
      isShown = await this.view.variations.choose(id, version);
    } catch (error) {
      this.view.showError("Can't show this variation: " + /** @type {Error} */ (error).message);
    }
    const { variation } = state;
    if (!isShown || !variation) return;
    this.view.editor.restore(variation);
    if (!state.busy) this.view.holdStatus(summaryOf(variation));
  }

  /** @param {string} kind */
  export(kind) {
    const { variation } = this.view.state;
    this.view.showStatus('Preparing the file …');
    this.view.trigger('export', {
      kind,
      version: exportedVersion(this.view.state),
      variation: variation && variation.id,
      look: plotStyleOf(this.view),
      shape: shapeOfFill(this.view.state, this.view.state.heardId),
    });
  }

  /** Let Python save everything as a session file. */
  saveSession() {
    const { variation, shapes } = this.view.state;
    this.view.showStatus('Preparing the session …');
    this.view.trigger('save', {
      variation: variation && variation.id,
      shapes: Object.fromEntries(shapes),
    });
  }

  /** Hear and see the sound without the selected atoms. */
  async erase() {
    if (this.view.refuseWithoutSelection()) return;
    if (!areFeaturesChecked(ERASING_FEATURES)) checkFeatures(ERASING_FEATURES);
    // the selection may have changed a moment ago
    await this.view.variations.followSelection();
    if (!this.view.state.variation) {
      this.view.maskedPreview.update(this.view.state);
      await this.view.maskedPreview.rendering;
    }
    this.chooseVersion('masked');
    const range = this.loopRange();
    if (range && !this.view.player.playing) this.view.player.start(range);
  }
}
