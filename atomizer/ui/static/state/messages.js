// Messages from Python, and what of them is shown: sounds with their atoms, fills while they run,
// variations, selected parts, examples and downloads.
//
// All of that is fetched and may come late. Each fetch takes a request number before it starts and
// stops if there is a newer one when it is back.

import { spanOfFill } from '../audio/player.js';
import { mergeFill, unpackAtoms } from '../plot/atoms.js';
import { isPursuit, unpackPursuit } from '../plot/pursuit.js';
import { showVariations } from '../panels/variations.js';
import { download, fetchBytes } from '../util/files.js';
import { PursuitSelection } from './pursuit_selection.js';
import { storeSound } from './restoring.js';
import { fromPayload, GridSelection, toPayload } from './selection.js';

/** @typedef {import('../types').Message} Message */
/** @typedef {import('../types').Scene} Scene */
/** @typedef {import('../types').Version} Version */

const NARROW = '(max-width: 900px)';
const REDUCED_MOTION = '(prefers-reduced-motion: reduce)';

/** Applies messages to the view. */
export class Messages {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
    /** @type {Message | null} */
    this.newest = null;
    this.applying = false;
    /** Number of the latest request for what the picture shows. */
    this.sceneRequest = 0;
    /** @type {Scene | null} scene of that request */
    this.requestedScene = null;
    /** Number of the latest request for a variation. */
    this.variationRequest = 0;
  }

  /** Take the value of the component. Messages are complete: only the newest one matters. */
  async receive() {
    const { view } = this;
    /** @type {Message | null} */
    const message = view.props.value;
    if (!message || typeof message !== 'object' || !message.number) return;
    view.props.value = toPayload(view.items); // the value stays the selection
    if (message.number <= (this.newest?.number ?? view.state.messageNumber)) return;
    this.newest = message;
    if (this.applying) return;
    this.applying = true;
    while (this.newest) {
      /** @type {Message} */
      const next = this.newest;
      this.newest = null;
      view.state.messageNumber = next.number;
      try {
        await this.apply(next);
      } catch (error) {
        view.showError("Can't show this: " + /** @type {Error} */ (error).message);
      }
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
    const isOtherScene = !state.base || state.base.id !== scene.id;
    if (isOtherScene) {
      const isSameSource =
        state.base &&
        state.base.sound === scene.sound &&
        state.originalUrl === message.original.url;
      await (isSameSource ? this.changeAtoms(scene) : this.loadSound(message, scene));
      if (!isSameSource) storeSound(view, message, scene);
    } else if (state.restored?.isWaiting) storeSound(view, message, scene);
    if (!state.restored) view.persistence.saveSession(message.resume);
    if (!message.busy && state.base) view.display.showAtomizer();
    const isExample = !!message.proposal && state.proposalId !== message.proposal.id;
    if (isExample && message.proposal) this.applyProposal(message.proposal);
    await view.excerpt.show(message.excerpt);
    await this.showParts(message.parts);
    await this.showFills(message, isExample);
    this.showDownload(message);
    this.showTexts(message, isExample);
    // Python ranks parts among the atoms that are shown: for other atoms they are requested again.
    // A region that was drawn while the sound loaded is gone, and its status message, too
    const hasParts = view.items.some((item) => item.part);
    const isOutdated = !view.items.length && view.state.notifiedKey !== toPayload([]).key;
    if (isOtherScene && !message.busy && !message.parts && (hasParts || isOutdated))
      view.editor.notify();
    view.showFindings(message.findings);
    await view.orders.file.receive(message.compression, message.original.url);
    if (isOtherScene) view.inspect(scene);
    view.syncButtons();
    view.root.dataset.message = String(message.number);
  }

  /** Show the running fill, a new variation, or the one that was shown before.
   * @param {Message} message
   * @param {boolean} isExample whether the message starts an example */
  async showFills(message, isExample) {
    const { view } = this;
    const { state } = view;
    const isNew = message.variations.length > 0 && state.lastShownId !== message.current;
    state.variations = message.variations;
    state.live = message.busy ? message.live : null;
    this.showProgress(message);
    if (isNew) state.showOriginal = false;
    const exists = (/** @type {number | null} */ id) => state.variations.some((v) => v.id === id);
    const isGone = !state.variation || !exists(state.variation.id);
    let isCurrent = true;
    if (state.live) await this.showResult(state.live);
    else if (isNew || (!state.showOriginal && isGone)) {
      const id = [state.restoreId, message.current].find(exists) ?? null;
      const version = (isNew || state.restoreId) && id !== null ? 'filled' : undefined;
      isCurrent = await this.chooseVariation(id, version);
    } else if (state.wasFilling)
      isCurrent = await this.chooseVariation(state.variation && state.variation.id);
    // an example does not play if the user has chosen something else meanwhile
    const answersExample = !!state.variation && state.variation.key === state.proposalId;
    if (isNew && isCurrent && answersExample && state.playedExampleId !== state.proposalId)
      this.playExample(isExample);
    else if (isNew && isCurrent && state.variation?.total === 1) view.display.reveal();
    state.lastShownId = message.current;
    state.restoreId = null;
    state.wasFilling = !!state.live;
    this.showVariationList();
  }

  /** @param {Message} message */
  showDownload({ download: offered }) {
    const { state } = this.view;
    if (!offered || state.downloadId === offered.id) return;
    state.downloadId = offered.id;
    download(offered.file.url, offered.file.orig_name);
  }

  /** @param {Message} message
   * @param {boolean} isExample */
  showTexts(message, isExample) {
    const { view } = this;
    Object.assign(view.find('revert'), {
      hidden: !message.before,
      textContent: message.before ? 'Back to ' + message.before : '',
    });
    view.state.example = { example: message.example, note: message.note };
    view.showExample();
    if (isExample && matchMedia(NARROW).matches)
      view.root.querySelector('.listen')?.scrollIntoView({
        block: 'nearest',
        behavior: matchMedia(REDUCED_MOTION).matches ? 'auto' : 'smooth',
      });
  }

  /** Show another original: a new sound without any fills, or an old one with its selection.
   * @param {Message} message
   * @param {Scene} scene */
  async loadSound(message, scene) {
    const { view } = this;
    const { state, player } = view;
    const isOtherSound = !state.base || state.base.sound !== scene.sound;
    if (isOtherSound && state.base)
      state.savedViews.set(state.base.sound, {
        items: view.items,
        showOriginal: state.showOriginal,
        shownId: state.variation && state.variation.id,
      });
    const saved = isOtherSound ? state.savedViews.get(scene.sound) : undefined;
    const { items, showOriginal, shownId } = saved ?? {
      items: [],
      showOriginal: false,
      shownId: null,
    };
    const buffer = fetchBytes(scene.atoms);
    view.maskedPreview.clear();
    player.stopVoices();
    player.offset = 0;
    player.loopSpan = null;
    state.scenes.clear();
    this.variationRequest++;
    Object.assign(state, {
      base: scene,
      shown: null,
      partBits: null,
      variations: [],
      variation: null,
      live: null,
      version: 'original',
      channel: null,
      looping: false,
      lastShownId: showOriginal ? message.current : null,
      showOriginal,
      restoreId: shownId,
      active: -1,
      originalUrl: message.original.url,
    });
    if (isOtherSound) {
      view.history.reset(items);
      state.op = 'replace';
    }
    await this.showScene(scene, { buffer, keepRange: false });
    view.find('empty').hidden = true;
    view.props.value = toPayload(view.items);
    view.editor.showChips();
    view.presets.showValuesOf(null);
    view.editor.showBounds();
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
    this.variationRequest++;
    Object.assign(state, { base: scene, variation: null, partBits: null });
    if (!isPursuit(scene) && state.colour === 'scale') view.display.setColour('sign');
    if (await this.showScene(scene)) await view.maskedPreview.update(state);
  }

  /** Start a request for what the picture shows; older ones are dropped.
   * @param {Scene} scene */
  requestScene(scene) {
    this.requestedScene = scene;
    return ++this.sceneRequest;
  }

  /**
   * Show a scene: that of the sound, or of a longer or wider version of it.
   * False if a newer request has replaced this one.
   * @param {Scene} scene
   * @param {object} [options]
   * @param {Promise<ArrayBuffer> | null} [options.buffer] the bytes of its atoms
   * @param {boolean} [options.keepRange] whether the visible range stays
   * @param {number} [options.request] from `requestScene`
   */
  async showScene(
    scene,
    { buffer = null, keepRange = true, request = this.requestScene(scene) } = {},
  ) {
    const { view } = this;
    const { state } = view;
    if (state.scene && state.scene.id === scene.id) return true;
    let original = state.scenes.get(scene.id);
    if (!original) {
      const unpack = isPursuit(scene) ? unpackPursuit : unpackAtoms;
      original = unpack(await (buffer || fetchBytes(scene.atoms)), scene.count);
      if (request !== this.sceneRequest) return false;
      state.scenes.set(scene.id, original);
    }
    Object.assign(state, { scene, original, shown: null });
    const drawn = view.picture.show(scene, original, keepRange);
    state.selection = isPursuit(scene)
      ? new PursuitSelection(scene)
      : new GridSelection(scene, /** @type {import('../types').Axes} */ (view.picture.axes));
    view.display.showColourChoices();
    view.display.showTitle();
    if (view.root.dataset.channels !== String(scene.channels)) view.display.showChannels();
    view.display.showLegend();
    view.orders.show(scene, original);
    view.editor.markAtoms(view.items);
    await drawn;
    return request === this.sceneRequest;
  }

  /** Take a selection that Python proposes; fills of it carry its id as their key.
   * @param {import('../types').Proposal} proposal */
  applyProposal(proposal) {
    const { view } = this;
    const { state } = view;
    state.proposalId = proposal.id;
    view.inputsAtExample = view.inputs;
    view.history.reset(fromPayload(proposal.regions, proposal.specs));
    state.selectionAliases.set(proposal.id, toPayload(view.items).key);
    state.active = -1;
    view.editor.showSelection();
    view.persistence.saveSelection(view.items);
  }

  /** Play an example, masked and then filled, unless the user has left the page, or done something
   * else, while it was computed.
   * @param {boolean} isAtOnce whether it was not computed */
  playExample(isAtOnce) {
    const { state, player, picture, demo, inputs, inputsAtExample } = this.view;
    const play = isAtOnce || inputs === inputsAtExample;
    state.playedExampleId = state.proposalId;
    const hole = state.shown && picture.axes && spanOfFill(state.shown, picture.axes.perFrame);
    if (!hole) return;
    if (play && !document.hidden) demo.start(hole);
    else player.seek(Math.max(0, hole[0] - this.view.playback.margin));
  }

  /** @param {Message['parts']} parts */
  async showParts(parts) {
    const { view } = this;
    const { state } = view;
    if (!parts || (state.partBits && state.partBits.url === parts.bits.url)) return;
    state.partBits = {
      key: parts.key,
      url: parts.bits.url,
      bits: new Uint8Array(await fetchBytes(parts.bits)),
    };
    view.editor.markAtoms(view.items);
    if (state.original) view.maskedPreview.update(state);
  }

  /** Show the atoms of a result instead of the hidden ones, unless a newer request has replaced it.
   * @param {import('../types').Result} result */
  async showResult(result) {
    const { view } = this;
    const { state } = view;
    const request = this.requestScene(result.scene);
    const [hidden, changed] = await Promise.all([
      fetchBytes(result.hidden),
      fetchBytes(result.atoms),
      this.showScene(result.scene, { request }),
    ]);
    if (request !== this.sceneRequest || !state.original) return;
    const atoms = unpackAtoms(changed, result.count);
    state.shown = mergeFill(state.original, new Uint8Array(hidden), atoms);
    state.selection?.markAtoms(state.shown, null);
    if (result.done && state.live) state.stepsShown++;
    view.display.repaint();
  }

  /**
   * Show and play a variation, or only the original for null.
   * False if a later call has replaced this one.
   * @param {number | null} id
   * @param {Version} [version]
   */
  async chooseVariation(id, version) {
    const { view } = this;
    const { state, player } = view;
    const variation = state.variations.find((v) => v.id === id) || null;
    const request = ++this.variationRequest;
    state.variation = variation;
    if (variation) state.showOriginal = false;
    else state.shown = null;
    if (variation) await this.showResult(variation);
    else if (state.base) await this.showScene(state.base);
    // a running fill may have replaced the picture, but this variation is still to be heard
    if (request !== this.variationRequest) return false;
    await player.load({
      original: state.originalUrl ?? '',
      ...(variation && { masked: variation.masked.url, filled: variation.sound.url }),
    });
    if (request !== this.variationRequest) return false;
    view.playback.showShape(variation);
    if (!variation) view.maskedPreview.update(state);
    view.playback.chooseVersion(
      version || (player.buffers[state.version] ? state.version : 'original'),
    );
    this.showVariationList();
    view.display.repaint();
    return true;
  }

  /** Go back to the original if the selection is not that of the shown variation: its hole is
   * elsewhere. A selection that is there `again` shows its variation once more.
   * @param {boolean} [again] */
  async followSelection(again = false) {
    const { view } = this;
    const { state } = view;
    if (state.busy) return;
    if (state.variation && view.editor.pending) {
      state.showOriginal = true;
      await this.chooseVariation(null, 'original');
    }
    if (!again || state.variation) return;
    const answer = state.variations.findLast((v) => view.items.length && view.editor.answers(v));
    if (answer) await this.chooseVariation(answer.id, 'filled');
  }

  /** For a fill on top of matching-pursuit atoms: the original is drawn as those atoms, every other
   * version as MDCT atoms, which the fill works on. */
  async showSceneOfVersion() {
    const { view } = this;
    const { variation, base, live, version } = view.state;
    if (!isPursuit(base) || !base || !variation || live) return;
    const scene = version === 'original' ? base : variation.scene;
    if (scene.id === this.requestedScene?.id) return;
    if (scene === base) await this.showScene(base);
    else await this.showResult(variation);
    view.display.repaint();
  }

  showVariationList() {
    const { find, state } = this.view;
    find('history').hidden = !state.variations.length;
    showVariations(find('variations'), state.variations, state.variation?.id ?? null);
  }

  /** @param {Message} message */
  showProgress({ busy, live, status }) {
    const { view } = this;
    view.state.busy = busy;
    view.root.classList.toggle('busy', busy);
    view.syncButtons();
    view.find('progress').style.width = busy && live ? (100 * live.done) / live.total + '%' : '0';
    if (status && (busy || performance.now() >= view.errorUntil)) view.showStatus(status);
  }
}
