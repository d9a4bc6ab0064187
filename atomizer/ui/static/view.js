// The view: it makes the parts of the page, connects them, and does what buttons and keys mean.
//
// view/ holds what changes together: the selection (editor.js), the drawing (display.js), versions
// and variations (playback.js), and the events of the page (events.js).

import { MaskedPreview } from './audio/masked_preview.js';
import { Player } from './audio/player.js';
import { BlindTest } from './panels/blind.js';
import { BoundsPanel } from './panels/bounds.js';
import { ExcerptPicker } from './panels/excerpt.js';
import { OrderPanel } from './panels/order_panel.js';
import { PresetEditor } from './panels/preset_editor.js';
import { ShapePanel } from './panels/shape.js';
import { restoreFolds, watchQueue } from './panels/shell.js';
import { showShortcuts } from './panels/shortcuts.js';
import { SourceLayer } from './panels/sources.js';
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
import { SceneLoader } from './state/scene_loader.js';
import { channelsOf, shapeOfFill } from './state/selectors.js';
import { Store } from './state/store.js';
import { Variations } from './state/variations.js';
import { initialState } from './state/view_state.js';
import { Pointer } from './tools/pointer.js';
import { showTools } from './tools/registry.js';
import { numberIn } from './util/fields.js';
import { areFeaturesChecked, fetchBytes } from './util/files.js';
import * as format from './util/format.js';
import { Clipboard } from './view/clipboard.js';
import { Display } from './view/display.js';
import { replaceAt, SelectionEditor } from './view/editor.js';
import { PageEvents } from './view/events.js';
import { connectPanels } from './view/panels.js';
import { ERASING_FEATURES, Playback } from './view/playback.js';

/** @typedef {import('./types').Item} Item */

const HELD_MS = 6000; // during which messages do not replace a held status
const TOUCH = '(hover: none) and (pointer: coarse)';

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
    this.store = new Store(initialState());
    this.state = this.store.state;
    /** Of the selection, of how fills are changed, and of fills from other sources. */
    this.history = new UndoHistory(
      /** @type {import('./types').Edits} */ ({ items: [], shapes: new Map(), refilled: null }),
      ({ value: { items, shapes }, past, future }) =>
        this.store.set({ items, shapes, undoSteps: past.length, redoSteps: future.length }),
    );
    this.persistence = new Persistence();
    this.messages = new Messages(this);
    this.loader = new SceneLoader(this);
    this.variations = new Variations(this);
    this.palette = new Palette(config.palette);
    /** Until this time, the status line keeps its text. */
    this.statusUntil = 0;
    /** How often the pointer or a key was pressed. */
    this.inputs = 0;
    /** `inputs` when the last example was loaded. */
    this.inputsAtExample = -1;
    this.editor = new SelectionEditor(this);
    this.display = new Display(this);
    this.playback = new Playback(this);
    this.clipboard = new Clipboard(this);
    this.events = new PageEvents(this);

    this.player = new Player(() => this.playback.playerChanged());
    this.picture = this.createPicture();
    this.overlay = new Overlay(this.find('overlay'), this.picture);
    this.sources = new SourceLayer(this.find('sources'), this.picture, {
      moved: (span) => this.playback.refill({ source: span }),
      refused: (span) => this.playback.refill({ not_from: span }),
    });
    this.shape = new ShapePanel(this.find('shape'), (shape, what) =>
      this.editor.shapeFill(shape, what),
    );
    this.waveform = new Waveform(this.find, this.picture, (seconds) => this.player.seek(seconds));
    this.orders = this.createOrderPanel();
    this.maskedPreview = this.createMaskedPreview();
    this.presets = this.createPresetEditor();
    this.bounds = new BoundsPanel(this.find, {
      typed: (texts, isDone) => this.editor.boundsTyped(texts, isDone),
      refused: (text) => this.showError(text),
    });
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

    showTools(this.find('tools'));
    if (matchMedia(TOUCH).matches) {
      root.dataset.touch = 'true';
      this.store.set({ tool: 'scroll' });
    }
    showShortcuts(this.find('keys-list'));
    this.events.addListeners();
    restoreFolds(root);
    watchQueue((place) => this.store.set(place));
    connectPanels(this);
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
      drawn: () => this.display.pictureDrawn(),
      themeChanged: () => {
        this.display.showLegend();
        this.orders.themeChanged();
      },
    });
  }

  createOrderPanel() {
    return new OrderPanel(this.find, this.config, this.player, {
      trigger: this.trigger,
      changed: () => this.display.repaint(),
      opened: (open) => this.playback.orderPanelOpened(open),
      isDark: () => this.picture.dark,
      chooseVersion: (version) => this.playback.chooseVersion(version),
      buildingUp: (isBuildingUp) => this.store.set({ isBuildingUp }),
    });
  }

  createMaskedPreview() {
    return new MaskedPreview(this.player, {
      isActive: () => this.state.variation === null && !this.state.live,
      removed: () => this.playback.chooseVersion('original'),
      erasesSound: () => areFeaturesChecked(ERASING_FEATURES),
    });
  }

  createPresetEditor() {
    return new PresetEditor(this.find, {
      duration: () => this.picture.duration,
      channelNames: () => format.channelNames(this.state.scene),
      add: (item) => this.editor.add(this.editor.inShownChannel(item)),
      replace: (item, key) => this.editor.replaceActive(item, key),
      showError: (text) => this.showError(text),
    });
  }

  createBlindTest() {
    const { state } = this;
    return new BlindTest(this.find('blind'), {
      variations: () => state.variations,
      shown: () => state.variation && state.variation.id,
      original: () => state.originalUrl ?? '',
      shapeOf: (id) => shapeOfFill(state, id),
      range: (variation) => this.playback.rangeAround(variation),
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
      maxPartials: () => numberIn(find('max-partials')),
      mode: (event) => (event.altKey ? 'subtract' : event.shiftKey ? 'add' : state.op),
      drop: () => numberIn(find('wand-drop')),
      preview: (item, index, replaces) => this.editor.preview(item, index, replaces),
      add: (item, replaces) => this.editor.add(this.editor.inShownChannel(item), replaces),
      edit: (index, item) =>
        this.editor.change(replaceAt(this.items, index, item), { active: index }),
      choose: (index) => this.editor.chooseItem(index),
      seek: (seconds) => this.player.seek(seconds),
      pressed: () => this.display.hideTooltip(),
      hover: (point) => this.display.hover(point),
      zoomFrame: (a, b) => this.overlay.showZoomFrame(a, b),
    });
  }

  /** The items of the selection. */
  get items() {
    return this.state.items;
  }

  /** Channels of the shown scene. */
  get channels() {
    return channelsOf(this.state);
  }

  /** Load a sound or a session as if it had been chosen in the drop zone.
   * @param {File} file */
  loadSound(file) {
    /** @type {HTMLInputElement | null} */
    const input = document.querySelector('#file input[type=file]');
    if (input) chooseFile(input, file, file.name);
    else this.showError('Another file is still being loaded: try again in a moment.');
  }

  /** Let Python search the sound of a scene for what can be repaired.
   * @param {import('./types').Scene} scene */
  inspect(scene) {
    if (!isPursuit(scene)) this.trigger('inspect', { thorough: false });
  }

  /** @param {string} status */
  showStatus(status) {
    this.store.set({ status });
  }

  /** Show a status that messages do not replace for a while.
   * @param {string} text */
  holdStatus(text) {
    this.showStatus(text);
    this.statusUntil = performance.now() + HELD_MS;
  }

  /** Show an error in the status line, until the user goes on or a fill begins.
   * @param {string} text */
  showError(text) {
    this.holdStatus(text);
  }

  /** Let messages replace a held status: what it says is over. */
  releaseStatus() {
    this.statusUntil = 0;
  }

  /** Say what to do where nothing is selected; whether this is so. */
  refuseWithoutSelection() {
    const isEmpty = !!this.state.scene && !this.items.length;
    if (isEmpty)
      this.showError(
        'Nothing is selected: drag over the spectrogram with a tool such as Box, or add a preset.',
      );
    return isEmpty;
  }

  /** Wait for work whose errors are shown.
   * @param {Promise<unknown>} work */
  async attempt(work) {
    try {
      await work;
    } catch (error) {
      this.showError("Can't show this: " + /** @type {Error} */ (error).message);
    }
  }

  /** Do what a button or a key stands for.
   * @param {string} name */
  async act(name) {
    if (!this.state.scene) return;
    this.demo.cancel();
    await this.actions[name]();
  }
}
