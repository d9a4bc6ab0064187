// The view: it owns the selection, and connects messages, tools, keys, player, panels and picture.

import { MaskedPreview } from './audio/masked_preview.js';
import { Player } from './audio/player.js';
import { BlindTest } from './panels/blind.js';
import { BoundsPanel, editedIndex, withBounds } from './panels/bounds.js';
import { syncButtons } from './panels/buttons.js';
import { showChips } from './panels/chips.js';
import { watchDrops } from './panels/dropping.js';
import { ExcerptPicker } from './panels/excerpt.js';
import { showFindings } from './panels/findings.js';
import { handleKey } from './panels/keyboard.js';
import { OrderPanel } from './panels/order_panel.js';
import { PresetEditor } from './panels/preset_editor.js';
import { ShapePanel } from './panels/shape.js';
import {
  press,
  restoreFolds,
  showErased,
  showExample,
  syncFillButton,
  toggleFold,
  watchQueue,
} from './panels/shell.js';
import { showShortcuts } from './panels/shortcuts.js';
import { SourceLayer } from './panels/sources.js';
import { showTooltip } from './panels/tooltip.js';
import { metricsOf, neighbour } from './panels/variations.js';
import { amplitudesOf } from './plot/atoms.js';
import { colourAtoms, legendEntries } from './plot/colouring.js';
import { Overlay } from './plot/overlay.js';
import { Palette } from './plot/palette.js';
import { Picture } from './plot/picture.js';
import { isPursuit } from './plot/pursuit.js';
import { Waveform } from './plot/waveform.js';
import { createActions } from './state/actions.js';
import { Demo } from './state/demo.js';
import { UndoHistory } from './state/history.js';
import { Messages } from './state/messages.js';
import { chooseFile, Persistence } from './state/persistence.js';
import { nearestPeak, spectrumOf } from './state/partials.js';
import { animateReveal, revealRanks } from './state/reveal.js';
import {
  fromPayload,
  padded,
  summarise,
  timeRangeOf,
  toPayload,
  unreachedBy,
} from './state/selection.js';
import { nudgeRegion } from './tools/edit.js';
import { Pointer } from './tools/pointer.js';
import { showTools, toolOf } from './tools/registry.js';
import {
  areFeaturesChecked,
  checkedFeatures,
  checkFeatures,
  fetchBytes,
  plotStyleOf,
  readSelection,
} from './util/files.js';
import * as format from './util/format.js';

/** @typedef {import('./types').Item} Item */
/** @typedef {import('./types').Version} Version */
/** @typedef {import('./types').Variation} Variation */
/** @typedef {import('./types').PlanePoint} PlanePoint */
/** @typedef {import('./types').FrequencyScale} FrequencyScale */

const ERROR_MS = 6000; // during which status messages do not replace an error
const NOTIFY_DELAY_MS = 120; // after a change of the selection, before Python is notified
const CLICKABLE = 'button, summary, label, [role=option], input[type=checkbox], input[type=radio]';
const ERASING_FEATURES = ['velocity', 'sign']; // without them, nothing of an atom is heard
const DEFAULT_PARTIALS = 16;
const MAX_MARGIN = 10; // seconds that play before and after the selection
const DEFAULT_DROP = 12; // dB
const TOUCH = '(hover: none) and (pointer: coarse)';
const REDUCED_MOTION = '(prefers-reduced-motion: reduce)';

/** @returns {import('./types').ViewState} */
const initialState = () => ({
  scene: null,
  base: null,
  original: null,
  shown: null,
  selection: null,
  partBits: null,
  variations: [],
  variation: null,
  live: null,
  busy: false,
  wasFilling: false,
  tool: 'box',
  op: 'replace',
  channel: null,
  colour: 'sign',
  version: 'original',
  looping: false,
  active: -1,
  preview: null,
  pointer: null,
  originalUrl: null,
  messageNumber: 0,
  stepsShown: 0,
  selectionAliases: new Map(),
  scenes: new Map(),
  showOriginal: false,
  savedViews: new Map(),
  restoreId: null,
  lastShownId: null,
  proposalId: null,
  playedExampleId: null,
  example: { example: '', note: '' },
  revealed: null,
  downloadId: null,
  findings: [],
  restored: null,
  readout: null,
  feedbackMilliseconds: 0,
  notifiedKey: toPayload([]).key,
});

/** The items with another one at an index.
 * @param {Item[]} items
 * @param {number} index
 * @param {Item} item */
const replaceAt = (items, index, item) => items.map((old, k) => (k === index ? item : old));

/** Take the focus from a button, checkbox or menu that the pointer has used, not from a text field.
 * @param {Element} target */
function blurClicked(target) {
  const used = target.closest(CLICKABLE);
  const focused = /** @type {HTMLInputElement | null} */ (document.activeElement);
  if (!used || !focused || used.closest('dialog')) return;
  // the option of a menu leaves the focus to the menu's field, a label to its checkbox
  const isButton = /^(BUTTON|SUMMARY)$/.test(focused.tagName) && used.contains(focused);
  if (isButton || /^(checkbox|radio)$/.test(focused.type) || used.role === 'option') focused.blur();
}

/** The component in the browser. */
export class View {
  /**
   * @param {HTMLElement} root
   * @param {import('./types').Config} config
   * @param {Pick<import('./types').Mount, 'props' | 'trigger'>} component
   */
  constructor(root, config, { props, trigger }) {
    this.root = root;
    this.config = config;
    this.props = props;
    this.trigger = trigger;
    this.find = /** @type {import('./types').Find} */ (
      (/** @type {string} */ name) =>
        /** @type {any} */ (root.querySelector('[data-name="' + name + '"]'))
    );
    this.state = initialState();
    this.history = new UndoHistory(/** @type {Item[]} */ ([]));
    this.persistence = new Persistence();
    this.messages = new Messages(this);
    this.palette = new Palette(config.palette);
    /** Until this time, an error stays in the status line. */
    this.errorUntil = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.notifyTimer = undefined;
    this.hoverFrame = 0;
    /** Whether the pointer was used last, not a key. */
    this.isPointing = false;
    /** How often the pointer or a key was pressed. */
    this.inputs = 0;
    /** `inputs` when the last example was loaded. */
    this.inputsAtExample = -1;
    this.isTicking = false;
    this.seenRange = '';

    this.player = new Player(() => this.playerChanged());
    this.picture = this.createPicture();
    this.overlay = new Overlay(this.find('overlay'), this.picture);
    this.sources = new SourceLayer(this.find('sources'), this.picture, {
      moved: (span) => this.refill({ source: span }),
      refused: (span) => this.refill({ not_from: span }),
    });
    this.shape = new ShapePanel(this.find('shape'), (shape) => this.player.setShape(shape));
    this.waveform = new Waveform(this.find, this.picture, (seconds) => this.player.seek(seconds));
    this.orders = this.createOrderPanel();
    this.maskedPreview = this.createMaskedPreview();
    this.presets = this.createPresetEditor();
    this.bounds = new BoundsPanel(this.find, (texts) => this.boundsTyped(texts));
    this.excerpt = new ExcerptPicker(this.find, {
      fetchBytes,
      confirmed: (excerpt) => {
        this.showStatus('Reading this part …');
        this.trigger('excerpt', excerpt);
      },
    });
    this.pointer = this.createPointer();
    this.blind = this.createBlindTest();
    this.actions = createActions(this);
    this.demo = new Demo(this);
    this.endReveal = () => {};

    showTools(this.find('tools'));
    if (matchMedia(TOUCH).matches) {
      root.dataset.touch = 'true';
      this.setTool('scroll');
    }
    showShortcuts(this.find('keys-list'));
    this.addListeners();
    this.showLegend();
    restoreFolds(root);
    watchQueue(() => syncFillButton(this));
    this.syncButtons();
  }

  createPicture() {
    const { find } = this;
    const parts = {
      stage: find('stage'),
      plot: find('plot'),
      canvas: find('canvas'),
      playhead: find('playhead'),
    };
    return new Picture(parts, this.palette, {
      drawn: () => this.pictureDrawn(),
      themeChanged: () => {
        this.showLegend();
        this.orders.themeChanged();
      },
    });
  }

  createOrderPanel() {
    return new OrderPanel(this.find, this.config, this.player, {
      trigger: this.trigger,
      changed: () => this.repaint(),
      opened: (open) => this.orderPanelOpened(open),
      isDark: () => this.picture.dark,
      chooseVersion: (version) => this.chooseVersion(version),
      buildingUp: () => this.syncButtons(),
    });
  }

  createMaskedPreview() {
    return new MaskedPreview(this.player, {
      isActive: () => this.state.variation === null && !this.state.live,
      removed: () => this.chooseVersion('original'),
      erasesSound: () => areFeaturesChecked(ERASING_FEATURES),
    });
  }

  createPresetEditor() {
    return new PresetEditor(this.find, {
      duration: () => this.picture.duration,
      channels: () => this.channels,
      add: (item) => this.add(this.inShownChannel(item)),
      replace: (item, key) => this.replaceActive(item, key),
      showError: (text) => this.showError(text),
    });
  }

  createBlindTest() {
    const { state } = this;
    return new BlindTest(this.find('blind'), {
      variations: () => state.variations,
      shown: () => state.variation && state.variation.id,
      original: () => state.originalUrl ?? '',
      shapeOf: (id) => this.shape.shapeOf(id),
      range: (variation) => this.rangeAround(variation),
      fetch: (url) => this.player.fetch(url),
      failed: (text) => this.showError(text),
    });
  }

  createPointer() {
    const { find, state } = this;
    return new Pointer(find('stage'), this.picture, {
      tool: () => state.tool,
      items: () => this.items,
      radius: () => Number(find('radius').value),
      maxPartials: () => Number(find('max-partials').value) || DEFAULT_PARTIALS,
      mode: (event) => (event.altKey ? 'subtract' : event.shiftKey ? 'add' : state.op),
      drop: () => Number(find('wand-drop').value) || DEFAULT_DROP,
      preview: (item, index, replaces) => this.preview(item, index, replaces),
      add: (item, replaces) => this.add(this.inShownChannel(item), replaces),
      edit: (index, item) => this.change(replaceAt(this.items, index, item), { active: index }),
      choose: (index) => this.chooseItem(index),
      seek: (seconds) => this.player.seek(seconds),
      pressed: () => this.hideTooltip(),
      hover: (point) => this.hover(point),
      zoomFrame: (a, b) => this.overlay.showZoomFrame(a, b),
    });
  }

  /** The items of the selection. */
  get items() {
    return this.history.value;
  }

  /** Channels of the shown scene. */
  get channels() {
    return this.state.scene ? this.state.scene.channels : 1;
  }

  // ---------- picture

  /** Whether the selection is another than that of the shown fill. */
  get pending() {
    const fill = this.state.live || this.state.variation;
    return !fill || !this.answers(fill);
  }

  /** Whether a fill is one of the current selection.
   * @param {{key: string}} fill */
  answers({ key }) {
    const mine = toPayload(this.items).key;
    const isEmpty = key === '' && !this.items.length;
    return key === mine || this.state.selectionAliases.get(key) === mine || isEmpty;
  }

  /** Colour the atoms of the current version, and draw them. */
  repaint() {
    const { state, orders, palette } = this;
    if (!state.original) return;
    const version = state.live ? 'filled' : state.version; // a running fill is always shown
    const isFillShown = ['filled', 'masked', 'change'].includes(version);
    const atoms = state.shown && isFillShown ? state.shown : state.original;
    const isFirst = version === 'first';
    const style = {
      colour: state.colour,
      version: atoms === state.original && !isFirst ? 'original' : version,
      channel: state.channel,
      pending: this.pending,
      ranks: state.colour === 'rank' || isFirst ? orders.ranks() : null,
      first: isFirst ? orders.first : null,
      revealed: atoms === state.shown ? state.revealed : null,
    };
    colourAtoms(atoms, style, palette.rows, palette.rankClasses);
    this.picture.atoms = atoms;
    this.sources.show(this.shownSources());
    this.picture.redraw();
  }

  /** Sources of the fill that is shown. */
  shownSources() {
    const { live, variation, version } = this.state;
    const isFillShown = !live && ['filled', 'change'].includes(version) && !this.pending;
    return isFillShown && variation ? variation.sources : [];
  }

  /** The items with the one that is being drawn or moved. */
  previewedItems() {
    const { preview } = this.state;
    if (!preview) return this.items;
    return preview.index < 0
      ? [...(preview.replaces ? [] : this.items), preview.item]
      : replaceAt(this.items, preview.index, preview.item);
  }

  /** Let the filled-in atoms of the shown variation appear in its ordering. */
  reveal() {
    const { state } = this;
    const { shown, scene, variation } = state;
    this.endReveal();
    if (!shown || !scene || !variation || matchMedia(REDUCED_MOTION).matches) return;
    const { ranks, total } = revealRanks(shown, scene, variation.order, variation.reverse);
    this.endReveal = animateReveal(total, (count) => {
      state.revealed = count === null || state.shown !== shown ? null : { ranks, count };
      this.repaint();
    });
  }

  showRegions() {
    this.overlay.draw(this.previewedItems(), this.state.active, this.state.tool === 'move');
  }

  showLegend() {
    const { state, palette, picture } = this;
    const entries = legendEntries(
      state.colour,
      this.channels,
      palette.rankClasses,
      state.scene?.scales,
    );
    const legend = this.find('legend');
    legend.replaceChildren(
      ...entries.map(([name, text]) => {
        const label = document.createElement('span');
        const swatch = document.createElement('i');
        swatch.style.background = palette.gradient(name, picture.dark);
        label.append(swatch, text);
        return label;
      }),
    );
    const floor = format.decibels(state.scene ? state.scene.floor_db : -82);
    legend.title = 'Level: each bar runs from ' + floor + ' to the loudest atom';
  }

  /** Show the choice of colouring by scale for matching pursuit only. */
  showColourChoices() {
    /** @type {HTMLOptionElement | null} */
    const option = this.find('colour').querySelector('[value=scale]');
    if (option) option.hidden = !isPursuit(this.state.base);
  }

  /** @param {PlanePoint | null} point */
  hover(point) {
    const { state } = this;
    const isBrush = toolOf(state.tool).isBrush;
    this.overlay.showCursor(isBrush ? point : null, Number(this.find('radius').value));
    state.pointer = point;
    if (this.hoverFrame) return;
    this.hoverFrame = requestAnimationFrame(() => {
      this.hoverFrame = 0;
      showTooltip(this);
    });
  }

  hideTooltip() {
    this.state.pointer = null;
    this.find('tip').hidden = true;
  }

  pictureDrawn() {
    const { t, u } = this.picture;
    const range = [...t, ...u].join();
    if (range !== this.seenRange) this.hideTooltip(); // another atom is at the pointer
    this.seenRange = range;
    this.showWaveform();
    this.showPosition();
    this.showRegions();
    this.sources.draw();
  }

  showWaveform() {
    const { buffers, version } = this.player;
    this.waveform.draw(buffers[version] ?? buffers.original);
  }

  // ---------- selection

  /** A drawn item, limited to the channel that is shown alone unless it has channels itself.
   * @param {Item} item
   * @returns {Item} */
  inShownChannel(item) {
    const { channel } = this.state;
    return channel === null || item.part || item.channels ? item : { ...item, channels: [channel] };
  }

  /** @param {Item} item
   * @param {boolean} [replaces] whether it becomes the selection, or is added to it */
  add(item, replaces = false) {
    const { maxRegions, maxPoints } = this.config;
    const before = replaces ? [] : this.items;
    if ((item.points?.length ?? 0) > maxPoints) {
      this.preview(null, -1);
      this.showError('This outline is too intricate. Please select a smaller range of levels.');
      return;
    }
    if (toPayload([...before, item]).regions.length > maxRegions) {
      this.preview(null, -1);
      this.showError(
        'A selection has at most ' + maxRegions + ' regions. Clear some, or paint fewer partials.',
      );
      return;
    }
    const unreached = unreachedBy(before, item);
    if (unreached !== 'nothing')
      this.showError(
        "Can't subtract from a random, quietest, loudest or kept part, only from regions.",
      );
    if (unreached === 'all') this.preview(null, -1);
    else this.change([...before, item], { active: before.length });
  }

  /** Replace the active item while the value of its preset is changed.
   * @param {Item} item
   * @param {string} key of the undo step */
  replaceActive(item, key) {
    const { active } = this.state;
    if (active < 0) return;
    const { op } = this.items[active];
    const replacement = op && !item.part ? { ...item, op } : item;
    this.change(replaceAt(this.items, active, replacement), { active, key: key + active });
  }

  /** @param {Item[]} items
   * @param {{active?: number, key?: string | null}} [options] `key`: see UndoHistory.push */
  change(items, { active = -1, key = null } = {}) {
    this.history.push(items, key);
    this.state.active = active;
    this.selectionChanged();
  }

  /** @param {boolean} isDone whether there was a step to undo or redo */
  historyStepped(isDone) {
    if (!isDone) return;
    this.state.active = -1;
    this.selectionChanged({ again: true });
  }

  /** Show the changed selection, and notify Python once of quick changes.
   * @param {{again?: boolean}} [options] `again`: the selection was there before */
  selectionChanged({ again = false } = {}) {
    this.showSelection();
    this.persistence.saveSelection(this.items);
    clearTimeout(this.notifyTimer);
    this.notifyTimer = setTimeout(() => {
      this.messages.followSelection(again);
      this.maskedPreview.update(this.state);
      this.notify();
    }, NOTIFY_DELAY_MS);
  }

  /** Notify Python of the selection. */
  notify() {
    clearTimeout(this.notifyTimer);
    this.state.notifiedKey = toPayload(this.items).key;
    this.trigger('selected');
  }

  /** Show the selection, and make it the value of the component at once: a fill that is started
   * next uses it. */
  showSelection() {
    const { state } = this;
    state.preview = null;
    if (!this.items.some((item) => item.part)) state.partBits = null;
    this.props.value = toPayload(this.items);
    this.markAtoms(this.items);
    this.showChips();
    this.presets.showValuesOf(this.items[state.active]);
    this.showBounds();
    if (state.looping) this.player.loop(this.loopRange());
    this.showExample();
    this.syncButtons();
  }

  /** Mark the example that is shown; another selection is no longer the example's. */
  showExample() {
    const { example, proposalId } = this.state;
    showExample(example, !!proposalId && this.answers({ key: proposalId }));
  }

  /** Show an item that is being drawn (index -1) or moved; null ends it.
   * @param {Item | null} item
   * @param {number} index
   * @param {boolean} [replaces] whether it becomes the selection */
  preview(item, index, replaces = false) {
    const { state } = this;
    const isEnded = state.preview && !item;
    state.preview = item ? { item, index, replaces } : null;
    this.markAtoms(this.previewedItems());
    this.showRegions();
    // the masked preview may have been rendered while the item was marked
    if (isEnded) this.maskedPreview.update(state);
  }

  /** Mark the atoms of items as selected, and draw them.
   * @param {Item[]} items */
  markAtoms(items) {
    const { state, picture } = this;
    const { scene, original, selection } = state;
    if (!scene || !original || !selection || !picture.axes) return;
    const began = performance.now();
    const key = JSON.stringify(toPayload(this.items).specs);
    const arePartsKnown = state.partBits?.key === key && scene === state.base;
    selection.set(items);
    selection.markAtoms(original, arePartsKnown && state.partBits ? state.partBits.bits : null);
    if (state.shown) selection.markAtoms(state.shown, null);
    const amplitudes = amplitudesOf(original, scene);
    state.readout = summarise(original, amplitudes, picture.axes, scene.energy);
    this.showReadout();
    this.repaint();
    state.feedbackMilliseconds = performance.now() - began;
    this.root.dataset.selected = String(state.readout ? state.readout.count : 0);
  }

  showReadout() {
    const { readout, preview } = this.state;
    const hasItems = this.items.length > 0 || preview;
    this.find('readout').textContent = readout
      ? [
          format.span(readout.t, format.seconds),
          format.span(readout.f, format.hertz),
          format.count(readout.count) + ' atoms',
          format.percent(readout.energy) + ' of the energy',
        ].join(' · ')
      : hasItems
        ? 'No audible atoms are selected'
        : 'Nothing is selected';
  }

  /** The time range of the selection, or null. */
  selectedRange() {
    return timeRangeOf(this.items, this.player.duration());
  }

  /** The time range that plays for the selection: with a margin before and after it, or null. */
  loopRange() {
    const range = this.selectedRange();
    return range && padded(range, this.margin, this.player.duration());
  }

  /** Seconds that play before and after the selection. */
  get margin() {
    return Math.min(MAX_MARGIN, Math.max(0, Number(this.find('margin').value) || 0));
  }

  /** @param {number} index */
  chooseItem(index) {
    this.state.active = index;
    this.showChips();
    this.presets.showValuesOf(this.items[index]);
    this.showBounds();
    this.showRegions();
    this.syncButtons();
  }

  /** Show the bounds of the box that is edited, to be typed. */
  showBounds() {
    this.bounds.show(this.items[editedIndex(this.items, this.state.active)]);
  }

  /** @param {Record<string, string>} texts */
  boundsTyped(texts) {
    const index = editedIndex(this.items, this.state.active);
    if (index < 0) return;
    try {
      const item = withBounds(this.items[index], texts);
      if (JSON.stringify(item) !== JSON.stringify(this.items[index]))
        this.change(replaceAt(this.items, index, item), { active: index });
    } catch (error) {
      this.showError(/** @type {Error} */ (error).message);
    }
  }

  /** Give the edited box the bounds of the partial that is nearest to its centre. */
  snap() {
    const { scene, original } = this.state;
    const index = editedIndex(this.items, this.state.active);
    const item = this.items[index];
    if (!scene || !original || !item || isPursuit(scene)) return;
    const [low, high] = item.f ?? [null, null];
    const [start, end] = item.t ?? [null, null];
    const centre = Math.sqrt((low || 40) * (high ?? scene.sound_rate / 2));
    const span = /** @type {import('./types').Range} */ ([start ?? 0, end ?? scene.duration]);
    const perBin = scene.rate / 2 / scene.hop;
    const power = spectrumOf(original, amplitudesOf(original, scene), scene, span);
    const peak = nearestPeak(power, centre, perBin);
    if (!peak) this.showError('There is no partial in this time span.');
    else {
      const f = /** @type {import('./types').Range} */ ([peak[0] * perBin, (peak[1] + 1) * perBin]);
      this.change(replaceAt(this.items, index, { ...item, f }), { active: index });
    }
  }

  showChips() {
    showChips(this.find('chips'), this.items, this.state.active, this.channels);
  }

  /** @param {number} index */
  remove(index) {
    if (this.items[index]) this.change(this.items.filter((_, k) => k !== index));
  }

  /** Move or resize the active region with an arrow key; false if there is none.
   * @param {number} across
   * @param {number} along
   * @param {boolean} resize */
  nudge(across, along, resize) {
    const { active } = this.state;
    const item = this.items[active];
    if (!item || item.part || item.everything) return false;
    const next = nudgeRegion(item, across, along, resize, this.picture);
    if (next) this.change(replaceAt(this.items, active, next), { active, key: 'nudge ' + active });
    return true;
  }

  /** Load a sound as if it had been chosen in the drop zone.
   * @param {File} file */
  loadSound(file) {
    /** @type {HTMLInputElement | null} */
    const input = document.querySelector('#file input[type=file]');
    if (input) chooseFile(input, file, file.name);
  }

  /** Let Python search the sound of a scene for what can be repaired.
   * @param {import('./types').Scene} scene */
  inspect(scene) {
    if (!isPursuit(scene)) this.trigger('inspect', { thorough: false });
  }

  /** @param {import('./types').Finding[]} findings */
  showFindings(findings) {
    this.state.findings = findings;
    showFindings(this.find('findings'), findings);
  }

  /** Select what was found, and fill it in where its button says so.
   * @param {import('./types').Finding} finding */
  takeFinding({ regions, fills }) {
    if (!regions.length) {
      this.showStatus('Looking for clicks …');
      this.trigger('inspect', { thorough: true });
      return;
    }
    this.change(fromPayload(regions, []));
    if (fills) press('#fill');
  }

  /** @param {File} file */
  async loadSelection(file) {
    try {
      const { items, features } = await readSelection(file);
      this.change(items);
      if (features) checkFeatures(features);
    } catch (error) {
      this.showError(/** @type {Error} */ (error).message);
    }
  }

  // ---------- sound

  showTitle() {
    const { scene } = this.state;
    if (!scene) return;
    const { duration, channels, count, srr_db: srr } = scene;
    const total = this.audibleCount(scene);
    this.showAtomizer();
    this.find('name').textContent = scene.name;
    this.find('facts').textContent = [
      duration.toFixed(1) + ' s',
      channels === 1 ? 'mono' : channels === 2 ? 'stereo' : channels + ' channels',
      +(scene.sound_rate / 1000).toFixed(2) + ' kHz',
      format.count(total) +
        (this.isFillPlane ? ' atoms (MDCT view of the fill)' : ' atoms') +
        (srr === null || srr === undefined ? '' : ', ' + srr.toFixed(1) + ' dB') +
        (count < total ? ', the ' + format.count(count) + ' loudest drawn' : ''),
    ].join(' · ');
  }

  /** Audible atoms of the version that is shown; those of a fill are counted if all are drawn.
   * @param {import('./types').Scene} scene */
  audibleCount({ count, total }) {
    const { shown, variation, version } = this.state;
    const isFilled = shown && variation && version === 'filled' && count === total;
    return isFilled ? shown.count : total;
  }

  /** Whether MDCT atoms are drawn for a fill on top of matching-pursuit atoms. */
  get isFillPlane() {
    return isPursuit(this.state.base) && !isPursuit(this.state.scene);
  }

  /** The menu of atoms shows which are drawn. */
  showAtomizer() {
    const menu = this.find('atomizer');
    /** @type {HTMLOptionElement | null} */
    const fill = menu.querySelector('[value=fill]');
    if (fill) fill.hidden = !this.isFillPlane;
    menu.value = this.isFillPlane ? 'fill' : (this.state.base?.atomizer ?? 'mdct');
  }

  /** @param {string} name */
  chooseAtomizer(name) {
    // the atoms of the sound are known already: only the fill hides them
    if (name === this.state.base?.atomizer) this.chooseVersion('original');
    else this.trigger('pursue', { name });
  }

  showChannels() {
    this.root.dataset.channels = String(this.channels);
    const menu = this.find('channels');
    const { channels } = this;
    const single = Array.from(
      { length: channels },
      (_, k) => new Option(format.channel(k, channels) + ' only', String(k)),
    );
    menu.replaceChildren(
      new Option('overlaid', 'overlaid'),
      new Option('stacked', 'stacked'),
      ...single,
    );
    this.find('channels-field').hidden = channels === 1;
    this.state.channel = null;
    menu.value = this.picture.stacked && channels > 1 ? 'stacked' : 'overlaid';
  }

  /** @param {string} text */
  showStatus(text) {
    this.find('status').textContent = text;
  }

  /** Show an error, which status messages do not replace for a while.
   * @param {string} text */
  showError(text) {
    this.showStatus(text);
    this.errorUntil = performance.now() + ERROR_MS;
  }

  // ---------- player

  playerChanged() {
    this.syncButtons();
    this.showWaveform();
    this.showPosition();
    if (this.player.playing) this.tick();
  }

  showPosition() {
    const position = this.player.position();
    this.picture.placePlayhead(position);
    this.waveform.placePlayhead(position);
    this.find('time').textContent =
      format.clock(position) + ' / ' + format.clock(this.player.duration());
  }

  /** Move the playhead while the sound plays. */
  tick() {
    if (this.isTicking) return;
    this.isTicking = true;
    const next = () => {
      if (this.player.ended()) this.player.rewind();
      this.demo.tick();
      this.showPosition();
      this.isTicking = this.player.playing;
      if (this.isTicking) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  /** @param {Version} version */
  chooseVersion(version) {
    if (!this.player.buffers[version]) return;
    this.demo.cancel();
    this.endReveal();
    this.state.version = version;
    this.player.choose(version);
    this.messages.showSceneOfVersion();
    this.showTitle();
    this.repaint();
    this.syncButtons();
  }

  /** @returns {NodeListOf<HTMLButtonElement>} */
  versionButtons() {
    return this.root.querySelectorAll('[data-version]');
  }

  /** @param {Version} version
   * @returns {HTMLButtonElement} */
  versionButton(version) {
    return /** @type {HTMLButtonElement} */ (
      this.root.querySelector('[data-version=' + version + ']')
    );
  }

  /** @param {boolean} open */
  orderPanelOpened(open) {
    this.versionButton('first').hidden = !open;
    if (!open) {
      if (this.state.version === 'first') this.chooseVersion('original');
      this.player.removeBuffer('first');
    } else {
      const rendered = this.orders.rendering || Promise.resolve();
      rendered.then(() => {
        if (this.orders.open) this.chooseVersion('first');
      });
    }
    this.repaint();
    this.syncButtons();
  }

  // ---------- variations

  /** Where a variation differs from the original, with a margin before and after it.
   * @param {Variation} [variation]
   * @returns {import('./types').Range} */
  rangeAround(variation) {
    const spans = variation?.spans ?? [];
    const end = this.player.duration();
    if (!spans.length) return [0, end];
    return padded([spans[0][0], spans[spans.length - 1][1]], this.margin, end);
  }

  /** Fill the shown variation in again, from another source.
   * @param {{source: import('./types').Range} | {not_from: import('./types').Range}} from */
  refill(from) {
    const { variation, busy } = this.state;
    if (variation && !busy) this.trigger('refill', { id: variation.id, ...from });
  }

  /** Play a variation in its shape, and show the sliders for it; null hides them.
   * @param {Variation | null} variation */
  showShape(variation) {
    this.shape.show(variation && variation.id);
    this.player.setShape(this.shape.shape, variation?.spans ?? []);
  }

  /** @param {1 | -1} step */
  async stepVariation(step) {
    const { variations, variation } = this.state;
    const id = neighbour(variations, variation?.id ?? null, step);
    if (id !== null) await this.openVariation(id);
  }

  /** Show a variation, and what it is in the status line.
   * @param {number} id */
  async openVariation(id) {
    const { state } = this;
    const version = state.version === 'original' ? 'filled' : undefined;
    let isShown = false;
    try {
      isShown = await this.messages.chooseVariation(id, version);
    } catch (error) {
      this.showError("Can't show this variation: " + /** @type {Error} */ (error).message);
    }
    const { variation } = state;
    if (isShown && variation && !state.busy)
      this.showStatus(variation.label + ': ' + variation.title + ', ' + metricsOf(variation));
  }

  // ---------- actions

  /** Do what a button or a key stands for.
   * @param {string} name */
  async act(name) {
    if (!this.state.scene) return;
    this.demo.cancel();
    await this.actions[name]();
    this.syncButtons();
  }

  /** @param {string} id */
  setTool(id) {
    const { isBrush, cursor } = toolOf(id);
    this.state.tool = id;
    this.root.dataset.tool = id;
    this.find('stage').style.cursor = cursor;
    this.find('brush-group').hidden = !isBrush;
    this.find('preset-group').hidden = !!isBrush || id === 'wand';
    this.find('wand-group').hidden = id !== 'wand';
    this.find('max-partials-field').hidden = id !== 'harmonics';
    this.overlay.showCursor(null);
    this.showRegions();
  }

  /** @param {FrequencyScale} scale */
  setScale(scale) {
    this.find('scale').value = scale;
    return this.picture.setScale(scale);
  }

  /** @param {string} unit of the frequency axis, "hertz" or "notes" */
  setPitch(unit) {
    this.find('pitch').value = unit;
    return this.picture.setNotes(unit === 'notes');
  }

  /** @param {string} colour */
  setColour(colour) {
    this.state.colour = colour;
    this.find('colour').value = colour;
    this.showLegend();
    this.repaint();
  }

  /** @param {string} value "overlaid", "stacked" or the number of a channel */
  setChannels(value) {
    this.state.channel = /^\d+$/.test(value) ? Number(value) : null;
    const updated = this.picture.setStacked(value === 'stacked');
    this.repaint();
    return updated;
  }

  /** Zoom in time, around the playhead if it is visible.
   * @param {number} factor */
  zoomBy(factor) {
    const { picture } = this;
    const [from, to] = picture.t;
    const position = this.player.position();
    const isVisible = position > from && position < to;
    const centre = {
      t: isVisible ? position : (from + to) / 2,
      f: picture.hertz((picture.u[0] + picture.u[1]) / 2),
    };
    return picture.zoom(centre, factor, 1);
  }

  /** The version that is exported: versions that only the page has are not.
   * @returns {Version} */
  get exportedVersion() {
    const { version, variation } = this.state;
    return version === 'first' || (version === 'masked' && !variation) ? 'original' : version;
  }

  /** @param {string} kind */
  export(kind) {
    const { variation } = this.state;
    this.showStatus('Preparing the file …');
    this.trigger('export', {
      kind,
      version: this.exportedVersion,
      variation: variation && variation.id,
      look: plotStyleOf(this),
      shape: this.shape.shape,
    });
  }

  syncButtons() {
    syncButtons(this);
    syncFillButton(this);
  }

  /** Hear and see the sound without the selected atoms. */
  async erase() {
    if (!this.items.length) {
      this.showError('Nothing is selected: drag over the spectrogram, or add a preset.');
      return;
    }
    if (!areFeaturesChecked(ERASING_FEATURES)) checkFeatures(ERASING_FEATURES);
    // the selection may have changed a moment ago
    await this.messages.followSelection();
    if (!this.state.variation) {
      this.maskedPreview.update(this.state);
      await this.maskedPreview.rendering;
    }
    this.chooseVersion('masked');
    const range = this.loopRange();
    if (range && !this.player.playing) this.player.start(range);
  }

  // ---------- events

  addListeners() {
    const { root, find } = this;
    root.addEventListener('click', (event) => this.handleClick(event));
    document.addEventListener('click', (event) => {
      const target = /** @type {Element} */ (event.target);
      /** @type {HTMLElement | null} */
      const opener = target.closest('[data-open]');
      if (opener) find(/** @type {'keys' | 'how'} */ (opener.dataset.open)).showModal();
      const menu = find('export-menu');
      if (menu.open && !menu.contains(target)) menu.open = false;
      this.handlePageClick(target, event.detail > 0);
    });
    for (const dialog of root.querySelectorAll('dialog'))
      dialog.addEventListener('click', (event) => {
        if (event.target === dialog) dialog.close();
      });
    document.addEventListener('change', (event) => {
      const target = /** @type {Element} */ (event.target);
      if (this.isPointing && target.tagName === 'SELECT')
        /** @type {HTMLElement} */ (target).blur();
      if (!target.closest('#features')) return;
      showErased(checkedFeatures());
      if (this.state.original) this.maskedPreview.update(this.state);
    });
    for (const name of ['pointerdown', 'keydown'])
      document.addEventListener(
        name,
        () => {
          this.isPointing = name === 'pointerdown';
          this.inputs++;
        },
        true,
      );
    document.addEventListener('keydown', (event) => handleKey(this, event));
    watchDrops(find('dropped'), find('dropped-files'), {
      loadSound: (file) => this.loadSound(file),
      loadSelection: (file) => this.loadSelection(file),
    });
    this.addFieldListeners();
  }

  /** A click anywhere on the page.
   * @param {Element} target
   * @param {boolean} isPointer whether it was made by a pointer, not by a key */
  handlePageClick(target, isPointer) {
    /** @type {HTMLElement | null} */
    const fold = target.closest('[data-fold]');
    if (fold) toggleFold(this.root, fold.dataset.fold ?? '');
    if (target.closest('#erase')) this.act('erase');
    if (target.closest('#fill')) this.syncButtons();
    // the space bar plays: what was clicked does not keep the focus
    if (isPointer) blurClicked(target);
    else if (target.closest('#examples button')) this.root.focus({ preventScroll: true });
  }

  addFieldListeners() {
    const { find } = this;
    const atomizer = find('atomizer');
    const names = Object.entries({ ...this.config.atomizers, fill: 'MDCT view of the fill' });
    atomizer.append(...names.map(([name, text]) => new Option(text, name)));
    atomizer.addEventListener('change', () => this.chooseAtomizer(atomizer.value));
    const scale = find('scale');
    scale.addEventListener('change', () =>
      this.setScale(/** @type {FrequencyScale} */ (scale.value)),
    );
    find('colour').addEventListener('change', () => this.setColour(find('colour').value));
    const pitch = find('pitch');
    pitch.addEventListener('change', () => this.setPitch(pitch.value));
    const contrast = find('contrast');
    contrast.addEventListener('input', () => {
      this.picture.setContrast(Number(contrast.value) / 100);
      this.showLegend();
    });
    const channels = find('channels');
    channels.addEventListener('change', () => this.setChannels(channels.value));
    find('margin').addEventListener('change', () => {
      if (this.state.looping) this.player.loop(this.loopRange());
    });
    const volume = find('volume');
    volume.addEventListener('input', () =>
      this.player.setVolume((Number(volume.value) / 100) ** 2),
    );
    const file = find('selection-file');
    file.addEventListener('change', () => {
      const chosen = file.files?.[0];
      if (chosen) this.loadSelection(chosen);
      file.value = '';
    });
  }

  /** @param {MouseEvent} event */
  handleClick(event) {
    const button = /** @type {Element} */ (event.target).closest('button');
    if (!button) return;
    const { act, version, remove, chip, variation, finding, export: kind } = button.dataset;
    if (act) this.act(act);
    else if (version) this.chooseVersion(/** @type {Version} */ (version));
    else if (remove) this.remove(Number(remove));
    else if (chip) this.chooseItem(Number(chip));
    else if (variation) this.openVariation(Number(variation));
    else if (finding) this.takeFinding(this.state.findings[Number(finding)]);
    else if (kind) this.export(kind);
    if (kind || (act && button.closest('.menu'))) this.find('export-menu').open = false;
  }
}
