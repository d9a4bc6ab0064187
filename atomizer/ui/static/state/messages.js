// Messages from Python: the state that they set, and what happens once with a message.

import { download, fetchBytes } from '../util/files.js';
import { spanOfFill } from './demo.js';
import { storeSound } from './restoring.js';
import { finishReturn, prepareReturn } from './saved_view.js';
import { answersSelection, keyOf, selectionOf } from './selectors.js';
import { fromPayload, toPayload } from './selection.js';

/** @typedef {import('../types').Message} Message */
/** @typedef {import('../types').Scene} Scene */

const NARROW = '(max-width: 900px)';
const REDUCED_MOTION = '(prefers-reduced-motion: reduce)';

/** The fields of the state that a message sets.
 * @param {Message} message */
const stateOf = (message) => ({
  messageNumber: message.number,
  variations: message.variations,
  live: message.busy ? message.live : null,
  busy: message.busy,
  pursues: message.pursues,
  before: message.before,
  expected: message.expected,
  additions: message.additions,
  acting: message.acting,
  reference: {
    name: message.reference,
    sounds: message.sounds,
  },
  layers: message.layers,
  example: message.example,
  note: message.note,
  findings: message.findings,
  compression: message.compression,
  excerpt: message.excerpt,
});

/** Applies messages to the view. */
export class Messages {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
    /** @type {Message | null} */
    this.newest = null;
    /** Number of the newest message. */
    this.number = 0;
    this.applying = false;
  }

  /** Take the value of the component. Messages are complete: only the newest one matters. */
  async receive() {
    const { view } = this;
    /** @type {Message | null} */
    const message = view.props.value;
    if (!message || typeof message !== 'object' || !message.number) return;
    view.props.value = toPayload(view.items); // the value stays the selection
    if (message.number <= this.number) return;
    this.newest = message;
    this.number = message.number;
    if (this.applying) return;
    this.applying = true;
    while (this.newest) {
      /** @type {Message} */
      const next = this.newest;
      this.newest = null;
      await view.attempt(this.apply(next));
    }
    this.applying = false;
  }

  /** @param {Message} message */
  async apply(message) {
    const { view } = this;
    const { state } = view;
    const { scene } = message;
    if (!scene) {
      // the session expired while the page was disconnected: a reload brings the sound back
      if (state.base) location.reload();
      return;
    }
    const change = this.changeOfLayers(message, scene);
    const isOtherScene = await this.showSound(message, scene);
    if (!state.restored) view.persistence.saveSession(message.resume);
    const isExample = !!message.proposal && state.proposalId !== message.proposal.id;
    const isNew = message.variations.length > 0 && state.lastShownId !== message.current;
    for (const variation of message.variations)
      if (variation.proposal)
        state.selectionAliases.set(variation.key, keyOf(selectionOf(variation)));
    view.store.batch(() => {
      if (isExample && message.proposal) this.applyProposal(message.proposal, message.example);
      view.store.set(stateOf(message));
      if (isNew) view.store.set({ showOriginal: false });
      this.addPlaces(message);
      this.takeLoaded(message);
      this.dropRefused(message);
      this.showStatus(message); // with the selection that it names
    });
    await this.markParts(message.parts);
    view.store.set({ describedKey: message.described });
    await this.showFills(message, { isNew, isExample });
    this.selectForLayers(message, change);
    this.startDownload(message);
    if (isExample) this.scrollToExample();
    // Python ranks parts among the atoms that are shown: for other atoms they are requested again.
    // A region that was drawn while the sound loaded is gone, and its status message, too
    const hasParts = view.items.some((item) => item.part);
    const isOutdated = !view.items.length && state.notifiedKey !== keyOf([]);
    if (isOtherScene && !message.busy && !message.parts && (hasParts || isOutdated))
      view.editor.notify();
    if (isOtherScene) view.inspect(scene);
    setTimeout(() => view.events.followFeatures()); // Gradio sets them after the message
    view.root.dataset.message = String(message.number);
  }

  /** What a message does to the layers of a sound: a fill of the selection, or of another one, is
   * accepted, the last layer is undone, or nothing.
   * @param {Message} message
   * @param {Scene} scene */
  changeOfLayers({ layers }, { sound }) {
    const { state } = this.view;
    if (state.base?.sound !== sound) return '';
    if (layers.length < state.layers.length) return 'undone';
    if (layers.length === state.layers.length) return '';
    const isOfSelection = !!state.variation && answersSelection(state, state.variation);
    return isOfSelection ? 'accepted' : 'kept';
  }

  /** What was selected in an accepted fill is no longer unknown; when the layer is undone, it is.
   * @param {Message} message
   * @param {'' | 'accepted' | 'kept' | 'undone'} change of the layers */
  selectForLayers({ status }, change) {
    const { state, editor } = this.view;
    if (!change) return;
    if (change === 'accepted') editor.change([]);
    else if (change === 'kept')
      editor.notify(); // of the same selection of another sound
    else if (state.variation) editor.restore(state.variation);
    this.view.holdStatus(status);
  }

  /** Show the scene of a message where it is another one; returns whether it is.
   * @param {Message} message
   * @param {Scene} scene */
  async showSound(message, scene) {
    const { view } = this;
    const { state, loader } = view;
    const isOtherScene = !state.base || state.base.id !== scene.id;
    const isSameSource =
      state.base?.sound === scene.sound && state.originalUrl === message.original.url;
    if (isOtherScene) {
      view.releaseStatus(); // an error about the sound before; one about the address stays
      prepareReturn(view, scene);
      await (isSameSource ? loader.changeAtoms(scene) : loader.loadSound(message, scene));
    }
    if (isOtherScene ? !isSameSource : state.restored?.isWaiting) storeSound(view, message, scene);
    return isOtherScene;
  }

  /** An error, for instance, stays in the status line for a while.
   * @param {Message} message */
  showStatus({ status, busy }) {
    const { view } = this;
    if (busy) view.releaseStatus();
    if (status && (busy || performance.now() >= view.statusUntil)) view.showStatus(status);
  }

  /** Show the running fill, a new variation, or the one that was shown before.
   * @param {Message} message
   * @param {{isNew: boolean, isExample: boolean}} facts whether a variation is new, and whether
   *   the message starts an example */
  async showFills(message, { isNew, isExample }) {
    const { view } = this;
    const { state, variations } = view;
    const exists = (/** @type {number | null} */ id) => state.variations.some((v) => v.id === id);
    const isGone = !state.variation || !exists(state.variation.id);
    let isCurrent = true;
    if (state.live) await view.loader.showResult(state.live);
    else if (isNew || (!state.showOriginal && isGone)) {
      const { returning } = state;
      const id = [returning?.shownId ?? null, message.current].find(exists) ?? null;
      const isBack = returning && id === returning.shownId;
      const isFilled = (isNew || returning) && id !== null;
      const version = isBack ? returning.version : isFilled ? 'filled' : undefined;
      isCurrent = await variations.choose(id, version);
    } else if (state.wasFilling)
      isCurrent = await variations.choose(state.variation && state.variation.id);
    // an example does not play if the user has chosen something else meanwhile
    const answersExample = !!state.variation && state.variation.key === state.proposalId;
    if (isNew && isCurrent && answersExample && state.playedExampleId !== state.proposalId)
      this.playExample(isExample, message.proposal);
    else if (isNew && isCurrent && state.variation) {
      if (state.variation.total === 1) view.display.reveal();
      view.playback.goToFill(state.variation);
    }
    if (!state.busy) view.playback.refillEnded(isNew && isCurrent ? state.variation : null);
    if (state.returning && isCurrent) await finishReturn(view, state.returning);
    view.store.set({
      lastShownId: message.current,
      returning: null,
      wasFilling: !!state.live,
    });
  }

  /** @param {Message} message */
  startDownload({ download: offered }) {
    const { state, store } = this.view;
    if (!offered || state.downloadId === offered.id) return;
    store.set({ downloadId: offered.id });
    download(offered.file.url, offered.file.orig_name);
  }

  /** Add boxes at similar places, unless the selection is another one by now.
   * @param {Message} message */
  addPlaces({ places }) {
    const { state, store, items, editor } = this.view;
    if (!places || state.placesId === places.id) return;
    store.set({ placesId: places.id });
    if (places.key === keyOf(items)) editor.change([...items, ...fromPayload(places.regions, [])]);
  }

  /** Take the selection of a settings file.
   * @param {Message} message */
  takeLoaded({ loaded, status }) {
    const { state, store, editor } = this.view;
    if (!loaded || state.loadedId === loaded.id) return;
    store.set({ loadedId: loaded.id, exampleFeatures: null });
    editor.change(fromPayload(loaded.regions, loaded.specs));
    this.view.holdStatus(status);
  }

  /** Take a part out of the selection that this sound does not have; the status says why.
   * @param {Message} message */
  dropRefused({ refused, status }) {
    const { view } = this;
    const others = view.items.filter(({ part }) => part !== refused);
    if (!refused || others.length === view.items.length) return;
    view.editor.change(others);
    view.showError(status);
  }

  /** In one column the sentence of an example may be out of sight. */
  scrollToExample() {
    if (!matchMedia(NARROW).matches) return;
    this.view.root.querySelector('.listen')?.scrollIntoView({
      block: 'nearest',
      behavior: matchMedia(REDUCED_MOTION).matches ? 'auto' : 'smooth',
    });
  }

  /** Take a selection that Python proposes; fills of it carry its id as their key.
   * @param {import('../types').Proposal} proposal
   * @param {string} example id of the example that proposes it, or empty */
  applyProposal(proposal, example) {
    const { view } = this;
    const { state } = view;
    const proposed = fromPayload(proposal.regions, proposal.specs);
    const items = state.returning?.items ?? proposed; // after a reload, the user's own
    view.inputsAtExample = view.inputs;
    state.selectionAliases.set(proposal.id, keyOf(proposed));
    const isExample = example && keyOf(items) === keyOf(proposed); // others are the user's own
    const exampleFeatures = isExample ? proposal.features : null;
    view.store.set({ proposalId: proposal.id, active: -1, exampleFeatures });
    view.history.reset({ ...view.history.value, items });
    view.editor.showSelection();
    view.persistence.saveSelection(view.items);
  }

  /** Play an example, unless the user has left the page, or done something else, while it was
   * computed. What is wrong with a faulty original is heard before it is erased.
   * @param {boolean} isAtOnce whether it was not computed
   * @param {Message['proposal']} proposal */
  playExample(isAtOnce, proposal) {
    const { state, store, player, picture, demo, inputs, inputsAtExample } = this.view;
    const play = isAtOnce || inputs === inputsAtExample;
    store.set({ playedExampleId: state.proposalId });
    const hole = state.shown && picture.axes && spanOfFill(state.shown, picture.axes.perFrame);
    if (!hole) return;
    if (play && !document.hidden) demo.start(hole, proposal?.has_reference === false);
    else player.seek(Math.max(0, hole[0] - this.view.playback.margin));
  }

  /** @param {Message['parts']} parts */
  async markParts(parts) {
    const { view } = this;
    const { state } = view;
    if (!parts || (state.partBits && state.partBits.url === parts.bits.url)) return;
    const bits = new Uint8Array(await fetchBytes(parts.bits));
    view.store.set({ partBits: { key: parts.key, url: parts.bits.url, bits } });
    view.editor.markAtoms(view.items);
    if (state.original) view.maskedPreview.update(state);
  }
}
