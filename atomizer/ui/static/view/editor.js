// The selection is edited: items are added, changed and removed; every change is shown at once, and
// Python is notified of it.

import { editedIndex, withBounds } from '../panels/bounds.js';
import { PRESETS } from '../panels/presets.js';
import { DEFAULT_FEATURES, press } from '../panels/shell.js';
import { summaryOf } from '../panels/variations.js';
import { amplitudesOf } from '../plot/atoms.js';
import { isPursuit } from '../plot/pursuit.js';
import { nudgeRegion } from '../tools/edit.js';
import { checkedFeatures, checkFeatures, readSelection } from '../util/files.js';
import { nearestPeak, spectrumOf } from '../state/partials.js';
import {
  answersSelection,
  arePartsKnown,
  isExampleShown,
  keyOf,
  selectionOf,
} from '../state/selectors.js';
import {
  fromPayload,
  hasSettings,
  isRepeated,
  narrows,
  regionsOf,
  summarise,
  toPayload,
  unreachedBy,
} from '../state/selection.js';

/** @typedef {import('../types').Item} Item */

const NOTIFY_DELAY_MS = 120; // after a change of the selection, before Python is notified

/** The items with another one at an index.
 * @param {Item[]} items
 * @param {number} index
 * @param {Item} item */
export const replaceAt = (items, index, item) => items.map((old, k) => (k === index ? item : old));

/** Id of the fill whose shape differs.
 * @param {ReadonlyMap<number, unknown>} before
 * @param {ReadonlyMap<number, unknown>} after */
const changedId = (before, after) =>
  [...before.keys(), ...after.keys()].find((id) => before.get(id) !== after.get(id));

/** Edits the selection of a view. */
export class SelectionEditor {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.notifyTimer = undefined;
  }

  /** The items with the one that is being drawn or moved. */
  previewedItems() {
    const { preview } = this.view.state;
    if (!preview) return this.view.items;
    return preview.index < 0
      ? [...(preview.replaces ? [] : this.view.items), preview.item]
      : replaceAt(this.view.items, preview.index, preview.item);
  }

  /** A drawn item, limited to the channel that is shown alone unless it has channels itself.
   * @param {Item} item
   * @returns {Item} */
  inShownChannel(item) {
    const { channel } = this.view.state;
    return channel === null || item.part || item.channels ? item : { ...item, channels: [channel] };
  }

  /** @param {Item} item
   * @param {boolean} [replaces] whether it becomes the selection, or is added to it */
  add(item, replaces = false) {
    const { maxRegions, maxPoints } = this.view.config;
    const before = replaces ? [] : this.view.items;
    if ((item.points?.length ?? 0) > maxPoints) {
      this.preview(null, -1);
      this.view.showError(
        'This outline is too intricate. Please select a smaller range of levels.',
      );
      return;
    }
    if (toPayload([...before, item]).regions.length > maxRegions) {
      this.preview(null, -1);
      this.view.showError(
        'A selection has at most ' + maxRegions + ' regions. Clear some, or paint fewer partials.',
      );
      return;
    }
    if (isRepeated(before, item)) {
      this.preview(null, -1);
      this.chooseItem(before.length - 1);
      return;
    }
    const unreached = unreachedBy(before, item);
    if (unreached === 'all') this.preview(null, -1);
    else this.change([...before, item], { active: before.length });
    if (unreached !== 'nothing')
      this.view.showError(
        "Can't subtract from parts such as random, loudest or transients, only from regions.",
      );
  }

  /** Replace the active item while the value of its preset is changed.
   * @param {Item} item
   * @param {string} key of the undo step */
  replaceActive(item, key) {
    const { active } = this.view.state;
    if (active < 0) return;
    const { op } = this.view.items[active];
    const replacement = op && !item.part ? { ...item, op } : item;
    this.change(replaceAt(this.view.items, active, replacement), { active, key: key + active });
  }

  /** @param {Item[]} items
   * @param {{active?: number, key?: string | null}} [options] `key`: see UndoHistory.push */
  change(items, { active = -1, key = null } = {}) {
    this.view.releaseStatus();
    this.view.store.batch(() => {
      this.view.history.push({ ...this.view.history.value, items }, key);
      this.view.store.set({ active });
    });
    this.selectionChanged();
  }

  /** Bring the selection of a variation back.
   * @param {import('../types').Variation} variation */
  restore(variation) {
    const { state, history } = this.view;
    if (answersSelection(state, variation)) return;
    const items = selectionOf(variation);
    const key = keyOf(items);
    state.selectionAliases.set(variation.key, key);
    // a harmonic stroke is one item where it was drawn, and several regions where it was filled in
    const steps = [...history.past, ...history.future].map((step) => step.items);
    this.change(steps.find((step) => keyOf(step) === key) ?? items);
  }

  /** Change the fill that is heard.
   * @param {import('../types').Shape} shape
   * @param {string} what is changed: quick changes of the same are one step */
  shapeFill(shape, what) {
    const { state, history } = this.view;
    const { heardId } = state;
    if (heardId === null) return;
    const shapes = new Map(state.shapes).set(heardId, shape);
    history.push({ ...history.value, shapes }, 'shape ' + heardId + what);
  }

  /** A fill was replaced by one from another source: undo shows the old one again.
   * @param {number} before id of its variation
   * @param {number} after */
  replaceFill(before, after) {
    const { history } = this.view;
    history.value = { ...history.value, refilled: before };
    history.push({ ...history.value, refilled: after });
  }

  /** Undo or redo a step; steps of fills that are gone are passed.
   * @param {'undo' | 'redo'} way */
  step(way) {
    const { state, store, history, variations } = this.view;
    const before = history.value;
    if (!history[way]()) return;
    const { items, shapes, refilled } = history.value;
    if (items !== before.items) {
      store.set({ active: -1 });
      this.selectionChanged({ again: true });
      return;
    }
    const id = refilled === before.refilled ? changedId(before.shapes, shapes) : refilled;
    const variation = state.variations.find((one) => one.id === id);
    if (!variation) this.step(way);
    else if (id !== state.heardId) {
      this.view.attempt(variations.choose(variation.id, 'filled'));
      this.view.holdStatus(summaryOf(variation));
    }
  }

  /** Show the changed selection, and notify Python once of quick changes.
   * @param {{again?: boolean}} [options] `again`: the selection was there before */
  selectionChanged({ again = false } = {}) {
    this.showSelection();
    this.leaveExample();
    this.view.persistence.saveSelection(this.view.items);
    clearTimeout(this.notifyTimer);
    this.notifyTimer = setTimeout(() => {
      this.view.variations.followSelection(again);
      this.view.maskedPreview.update(this.view.state);
      this.notify();
    }, NOTIFY_DELAY_MS);
  }

  /** The features that an example erases are not meant for the user's own selection. */
  leaveExample() {
    const { state, store } = this.view;
    const { exampleFeatures } = state;
    if (!exampleFeatures || isExampleShown(state)) return;
    store.set({ exampleFeatures: null });
    if (checkedFeatures().sort().join() === [...exampleFeatures].sort().join())
      checkFeatures(DEFAULT_FEATURES);
  }

  /** Notify Python of the selection. */
  notify() {
    clearTimeout(this.notifyTimer);
    this.view.store.set({ notifiedKey: keyOf(this.view.items), describedKey: null });
    this.view.trigger('selected');
  }

  /** Show the selection, and make it the value of the component at once: a fill that is started
   * next uses it. */
  showSelection() {
    const { state, store, items } = this.view;
    store.set({ preview: null });
    if (!items.some((item) => item.part)) store.set({ partBits: null });
    this.view.props.value = toPayload(items);
    this.markAtoms(items);
    if (state.looping) this.view.player.loop(this.view.playback.loopRange());
  }

  /** Show an item that is being drawn (index -1) or moved; null ends it.
   * @param {Item | null} item
   * @param {number} index
   * @param {boolean} [replaces] whether it becomes the selection */
  preview(item, index, replaces = false) {
    const { state } = this.view;
    const isEnded = state.preview && !item;
    this.view.store.set({ preview: item ? { item, index, replaces } : null });
    this.markAtoms(this.previewedItems());
    this.view.display.showRegions();
    // the masked preview may have been rendered while the item was marked
    if (isEnded) this.view.maskedPreview.update(state);
  }

  /** Mark the atoms of items as selected, and draw them.
   * @param {Item[]} items */
  markAtoms(items) {
    const { state, picture } = this.view;
    const { scene, original, selection } = state;
    if (!scene || !original || !selection || !picture.axes) return;
    const began = performance.now();
    const parts = scene === state.base && arePartsKnown(state) ? state.partBits?.bits : null;
    if (parts && items === this.view.items && items.some(narrows)) {
      selection.set([]); // Python has said which atoms of the regions stand out
      selection.markAtoms(original, parts);
      selection.set(items);
    } else {
      selection.set(items);
      selection.markAtoms(original, items.some(narrows) ? null : (parts ?? null));
    }
    if (state.shown) selection.markAtoms(state.shown, null);
    const readout = summarise(original, scene, picture.axes);
    this.view.store.set({ readout });
    this.view.display.repaint();
    this.view.store.set({ feedbackMilliseconds: performance.now() - began });
    this.view.root.dataset.selected = String(readout ? readout.count : 0);
  }

  /** @param {number} index */
  chooseItem(index) {
    this.view.store.set({ active: index });
    // also where it was active: the menu may show another preset
    this.view.presets.showValuesOf(this.view.items[index]);
    this.view.display.showRegions();
  }

  /** Give the edited box bounds that were typed. Throws InvalidBounds.
   * @param {Record<string, string>} texts
   * @param {boolean} isDone whether they are complete; others are only checked */
  boundsTyped(texts, isDone) {
    const { items, state } = this.view;
    const index = editedIndex(items, state.active);
    if (index < 0 || !state.scene) return;
    const item = withBounds(items[index], texts, state.scene);
    if (isDone && JSON.stringify(item) !== JSON.stringify(items[index]))
      this.change(replaceAt(items, index, item), { active: index });
  }

  /** Give the edited box the bounds of the partial that is nearest to its centre. */
  snap() {
    const { scene, original } = this.view.state;
    const index = editedIndex(this.view.items, this.view.state.active);
    const item = this.view.items[index];
    if (!scene || !original || !item || isPursuit(scene)) return;
    const [low, high] = item.f ?? [null, null];
    const [start, end] = item.t ?? [null, null];
    const centre = Math.sqrt((low || 40) * (high ?? scene.sound_rate / 2));
    const span = /** @type {import('../types').Range} */ ([start ?? 0, end ?? scene.duration]);
    const perBin = scene.rate / 2 / scene.hop;
    const power = spectrumOf(original, amplitudesOf(original, scene), scene, span);
    const peak = nearestPeak(power, centre, perBin);
    if (!peak) this.view.showError('There is no partial in this time span.');
    else {
      const f = /** @type {import('../types').Range} */ ([
        peak[0] * perBin,
        (peak[1] + 1) * perBin,
      ]);
      this.change(replaceAt(this.view.items, index, { ...item, f }), { active: index });
    }
  }

  /** Let Python find the places that are similar to the edited box. */
  findSimilar() {
    const { items, state } = this.view;
    const item = items[editedIndex(items, state.active)];
    if (!item?.t || item.t.includes(null)) {
      this.view.showError('Choose a box with a start and an end first.');
      return;
    }
    this.view.showStatus('Looking for similar places …');
    this.view.trigger('similar', { region: regionsOf(item)[0], key: keyOf(items) });
  }

  /** Narrow the selection to what stands out from around it, or take all of it again. */
  toggleStandout() {
    const { items, state } = this.view;
    const whole = items.filter((item) => !narrows(item));
    if (!whole.length) {
      this.view.showError('Select something first, for instance a box around a noise.');
      return;
    }
    const isWhole = whole.length === items.length;
    const next = isWhole ? [...items, PRESETS.standout.item(PRESETS.standout.values)] : whole;
    this.change(next, { active: Math.min(state.active, next.length - 1) });
  }

  /** @param {number} index */
  remove(index) {
    if (this.view.items[index]) this.change(this.view.items.filter((_, k) => k !== index));
  }

  /** Move or resize the active region with an arrow key; false if there is none.
   * @param {number} across
   * @param {number} along
   * @param {boolean} resize */
  nudge(across, along, resize) {
    const { active } = this.view.state;
    const item = this.view.items[active];
    if (!item || item.part || item.everything) return false;
    const next = nudgeRegion(item, across, along, resize, this.view.picture);
    if (next)
      this.change(replaceAt(this.view.items, active, next), { active, key: 'nudge ' + active });
    return true;
  }

  /** Load a selection, or the last fill of a settings file.
   * @param {File} file */
  async loadSelection(file) {
    this.view.releaseStatus();
    try {
      const text = await file.text();
      if (hasSettings(text)) {
        this.view.showStatus('Reading ' + file.name + ' …');
        this.view.trigger('settings', { text, name: file.name });
        return;
      }
      const { items, features } = readSelection(text);
      this.change(items);
      if (features) checkFeatures(features);
    } catch (error) {
      this.view.showError(/** @type {Error} */ (error).message);
    }
  }

  /** Select what was found, and fill it in where its button says so.
   * @param {import('../types').Finding} finding */
  takeFinding({ regions, fills }) {
    if (!regions.length) {
      this.view.showStatus('Looking for clicks …');
      this.view.trigger('inspect', { thorough: true });
      return;
    }
    this.change(fromPayload(regions, []));
    if (fills) press('#fill');
  }
}
