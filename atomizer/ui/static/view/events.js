// Clicks, keys and fields of the page, and what each of them does.

import { reportEdits } from '../util/fields.js';
import { checkedFeatures } from '../util/files.js';
import { isSelection, isSession, watchDrops } from '../panels/dropping.js';
import { handleKey } from '../panels/keyboard.js';
import { watchReference } from '../panels/reference.js';
import { announceExample, showErased, toggleFold } from '../panels/shell.js';
import { announceUpload } from '../state/loading.js';

/** @typedef {import('../types').Version} Version */
/** @typedef {import('../types').FrequencyScale} FrequencyScale */

const CLICKABLE = 'button, summary, label, [role=option], input[type=checkbox], input[type=radio]';

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

/** Connects the elements of a page with its view. */
export class PageEvents {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
    /** Whether the pointer was used last, not a key. */
    this.isPointing = false;
    /** The erased features that are shown. */
    this.features = '';
  }

  addListeners() {
    const { root, find } = this.view;
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
      this.view.store.set({ exampleFeatures: null });
      this.followFeatures();
    });
    document.addEventListener(
      'click',
      (event) => {
        const isFill = /** @type {Element} */ (event.target).closest('#fill');
        if (isFill && this.view.refuseWithoutSelection()) event.stopPropagation();
      },
      true,
    );
    reportEdits(document, '#controls textarea');
    for (const name of ['pointerdown', 'keydown'])
      document.addEventListener(
        name,
        () => {
          this.isPointing = name === 'pointerdown';
          this.view.inputs++;
        },
        true,
      );
    document.addEventListener('keydown', (event) => handleKey(this.view, event));
    const dropped = { list: find('dropped-files'), note: find('dropped-note') };
    watchDrops(find('dropped'), dropped, {
      endings: this.view.config.endings,
      say: (text) => this.view.holdStatus(text),
      loadSound: (file) => this.view.loadSound(file),
      loadSelection: (file) => this.view.editor.loadSelection(file),
    });
    // before Gradio, which would read it as a sound
    document.addEventListener('change', (event) => this.takeFile(event), true);
    watchReference({
      choose: (payload) => this.view.trigger('reference', payload),
      duration: () => this.view.player.duration(),
    });
    this.addFieldListeners();
  }

  /** Say which features are erased, and let the masked version follow; Gradio sets their boxes
   * without an event. */
  followFeatures() {
    const names = checkedFeatures();
    if (names.join() === this.features) return;
    this.features = names.join();
    showErased(names);
    if (this.view.state.original) this.view.maskedPreview.update(this.view.state);
  }

  /** Load a selection or settings that were chosen as a sound; say that a sound is loaded.
   * @param {Event} event */
  takeFile(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const file = input.files?.[0];
    if (!file || !input.closest('#file')) return;
    if (!isSelection(file)) {
      // one that is uploaded again after a reload has words of its own
      if (!this.view.state.restored) announceUpload(this.view, file.name);
      return;
    }
    event.stopImmediatePropagation();
    this.view.editor.loadSelection(file);
    input.value = '';
  }

  /** A click anywhere on the page.
   * @param {Element} target
   * @param {boolean} isPointer whether it was made by a pointer, not by a key */
  handlePageClick(target, isPointer) {
    /** @type {HTMLElement | null} */
    const fold = target.closest('[data-fold]');
    if (fold) toggleFold(this.view.root, fold.dataset.fold ?? '');
    if (target.closest('#erase')) this.view.act('erase');
    if (target.closest('#play')) this.view.act('play');
    const { isQueued, busy } = this.view.state;
    if (target.closest('#stop') && isQueued && !busy)
      this.view.holdStatus('Stopped waiting: nothing was filled in.');
    const example = target.closest('#examples button');
    if (example) announceExample(example);
    // the space bar plays: what was clicked does not keep the focus
    if (isPointer) blurClicked(target);
    else if (example) this.view.root.focus({ preventScroll: true });
  }

  addFieldListeners() {
    const { find } = this.view;
    const menu = find('export-menu');
    menu.addEventListener('toggle', () => {
      if (menu.open) menu.querySelector('.sheet')?.scrollIntoView({ block: 'nearest' });
    });
    const atomizer = find('atomizer');
    const names = Object.entries({ ...this.view.config.atomizers, fill: 'MDCT of the fill' });
    atomizer.append(...names.map(([name, text]) => new Option(text, name)));
    atomizer.addEventListener('change', () => this.view.display.chooseAtomizer(atomizer.value));
    const scale = find('scale');
    scale.addEventListener('change', () =>
      this.view.display.setScale(/** @type {FrequencyScale} */ (scale.value)),
    );
    find('colour').addEventListener('change', () =>
      this.view.display.setColour(find('colour').value),
    );
    const pitch = find('pitch');
    pitch.addEventListener('change', () => this.view.display.setPitch(pitch.value));
    const contrast = find('contrast');
    contrast.addEventListener('input', () => {
      this.view.picture.setContrast(Number(contrast.value) / 100);
      this.view.display.showLegend();
    });
    const channels = find('channels');
    channels.addEventListener('change', () => this.view.display.setChannels(channels.value));
    find('margin').addEventListener('change', () => {
      if (this.view.state.looping) this.view.player.loop(this.view.playback.loopRange());
    });
    const volume = find('volume');
    volume.addEventListener('input', () =>
      this.view.player.setVolume((Number(volume.value) / 100) ** 2),
    );
    const file = find('selection-file');
    file.addEventListener('change', () => {
      const chosen = file.files?.[0];
      if (chosen && isSession(chosen)) this.view.loadSound(chosen);
      else if (chosen) this.view.editor.loadSelection(chosen);
      file.value = '';
    });
  }

  /** @param {MouseEvent} event */
  handleClick(event) {
    const button = /** @type {Element} */ (event.target).closest('button');
    if (!button) return;
    const { act, version, remove, chip, variation, finding, export: kind } = button.dataset;
    if (act) this.view.act(act);
    else if (version) this.view.playback.chooseVersion(/** @type {Version} */ (version));
    else if (remove) this.view.editor.remove(Number(remove));
    else if (chip) this.view.editor.chooseItem(Number(chip));
    else if (variation) this.view.playback.openVariation(Number(variation));
    else if (finding) this.view.editor.takeFinding(this.view.state.findings[Number(finding)]);
    else if (kind) this.view.playback.export(kind);
    if (kind || (act && button.closest('.menu'))) this.view.find('export-menu').open = false;
  }
}
