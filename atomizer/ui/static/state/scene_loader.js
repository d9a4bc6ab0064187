// What the picture shows: the atoms of a sound, or of a fill of it.
//
// All of that is fetched and may come late. Each fetch takes a request number before it starts and
// stops if there is a newer one when it is back.

import { mergeFill, unpackAtoms, unpackScene } from '../plot/atoms.js';
import { isPursuit, unpackPursuit } from '../plot/pursuit.js';
import { fetchBytes } from '../util/files.js';
import { PursuitSelection } from './pursuit_selection.js';
import { savedViewOf, showRange } from './saved_view.js';
import { GridSelection, toPayload } from './selection.js';

/** @typedef {import('../types').Message} Message */
/** @typedef {import('../types').Scene} Scene */

/** Loads scenes into the view. */
export class SceneLoader {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
    /** Number of the latest request for what the picture shows. */
    this.number = 0;
    /** @type {Scene | null} scene of that request */
    this.requested = null;
  }

  /** Show another original: a new sound without any fills, or an old one with its selection.
   * @param {Message} message
   * @param {Scene} scene */
  async loadSound(message, scene) {
    const { view } = this;
    const { state, player, store } = view;
    const isOtherSound = !state.base || state.base.sound !== scene.sound;
    if (isOtherSound && state.base) state.savedViews.set(state.base.sound, savedViewOf(view));
    const saved = isOtherSound ? state.savedViews.get(scene.sound) : undefined;
    const { items, showOriginal, shapes } = saved ?? {
      items: [],
      showOriginal: false,
      shapes: new Map(), // variations of different sounds have the same ids
    };
    const buffer = fetchBytes(scene.atoms);
    view.maskedPreview.clear();
    player.stopVoices();
    player.offset = 0;
    player.loopSpan = null;
    state.scenes.clear();
    view.variations.cancel();
    store.batch(() => {
      store.set({
        base: scene,
        shown: null,
        partBits: null,
        variations: [],
        variation: null,
        heardId: null,
        live: null,
        version: 'original',
        channel: null,
        looping: false,
        lastShownId: saved ? message.current : null,
        showOriginal,
        returning: saved ?? null,
        active: -1,
        originalUrl: message.original.url,
      });
      if (isOtherSound) {
        view.history.reset({ items, shapes, refilled: null });
        // it copies from the sound that is shown
        store.set({ op: 'replace', clipboard: [], exampleFeatures: null });
      }
    });
    await this.show(scene, { buffer, keepRange: false });
    if (saved) showRange(view, saved);
    view.find('empty').hidden = true;
    view.props.value = toPayload(view.items);
    view.root.dataset.scene = scene.id;
    player.choose('original');
    await player.load({ original: message.original.url });
    // where a variation is shown next, choosing it does this
    if (showOriginal) view.maskedPreview.update(state);
  }

  /** Show the same sound as other atoms, or more of them; selection, variations and player stay.
   * @param {Scene} scene */
  async changeAtoms(scene) {
    const { view } = this;
    const { state } = view;
    if (state.base) state.scenes.delete(state.base.id);
    view.variations.cancel();
    view.store.set({ base: scene, variation: null, heardId: null, partBits: null });
    if (!isPursuit(scene) && state.colour === 'scale') view.display.setColour('sign');
    if (await this.show(scene)) await view.maskedPreview.update(state);
  }

  /** Start a request for what the picture shows; older ones are dropped.
   * @param {Scene} scene */
  request(scene) {
    this.requested = scene;
    return ++this.number;
  }

  /**
   * Show a scene: that of the sound, or of a longer or wider version of it.
   * False if a newer request has replaced this one.
   * @param {Scene} scene
   * @param {object} [options]
   * @param {Promise<ArrayBuffer> | null} [options.buffer] the bytes of its atoms
   * @param {boolean} [options.keepRange] whether the visible range stays
   * @param {number} [options.request] from `request`
   */
  async show(scene, { buffer = null, keepRange = true, request = this.request(scene) } = {}) {
    const { view } = this;
    const { state } = view;
    if (state.scene && state.scene.id === scene.id) return true;
    let original = state.scenes.get(scene.id);
    if (!original) {
      const bytes = await (buffer || fetchBytes(scene.atoms));
      original = isPursuit(scene) ? unpackPursuit(bytes, scene.count) : unpackScene(bytes, scene);
      if (request !== this.number) return false;
      state.scenes.set(scene.id, original);
    }
    const drawn = view.picture.show(scene, original, keepRange);
    const selection = isPursuit(scene)
      ? new PursuitSelection(scene)
      : new GridSelection(scene, /** @type {import('../types').Axes} */ (view.picture.axes));
    view.store.set({ scene, original, shown: null, selection });
    view.orders.show(scene, original);
    view.editor.markAtoms(view.items);
    await drawn;
    return request === this.number;
  }

  /** Show the atoms of a result instead of the hidden ones, unless a newer request has replaced it.
   * @param {import('../types').Result} result */
  async showResult(result) {
    const { view } = this;
    const { state } = view;
    const request = this.request(result.scene);
    const [hidden, changed] = await Promise.all([
      fetchBytes(result.hidden),
      fetchBytes(result.atoms),
      this.show(result.scene, { request }),
    ]);
    if (request !== this.number || !state.original) return;
    const atoms = unpackAtoms(changed, result.count);
    const shown = mergeFill(state.original, new Uint8Array(hidden), atoms);
    state.selection?.markAtoms(shown, null);
    view.store.set({ shown });
    if (result.done && state.live) view.store.set({ stepsShown: state.stepsShown + 1 });
    view.display.repaint();
  }
}
