// Which panel renders which part of the state.

import { editedIndex } from '../panels/bounds.js';
import { showBase } from '../panels/base.js';
import { connectButtons } from '../panels/buttons.js';
import { showChips } from '../panels/chips.js';
import { showFindings } from '../panels/findings.js';
import { showLayers } from '../panels/layers.js';
import { showReference } from '../panels/reference.js';
import {
  enableFills,
  explainAdditions,
  showAdditions,
  showExample,
  showFillButton,
  showSelected,
} from '../panels/shell.js';
import { showDetails, showVariations } from '../panels/variations.js';
import * as format from '../util/format.js';
import {
  baseOfAdditions,
  isExampleShown,
  isPending,
  isWidened,
  lastShown,
  leftOut,
  searchOf,
  shapeOfFill,
  statusOf,
} from '../state/selectors.js';

/** Keep all panels up to date.
 * @param {import('../view.js').View} view */
export function connectPanels(view) {
  connectButtons(view.store, view.root, view.find);
  connectSelection(view);
  connectFills(view);
  connectSound(view);
}

/** @param {import('../view.js').View} view */
function connectSelection({ store, find, presets, bounds, display }) {
  store.subscribe((s) => [s.tool], display.showTool.bind(display));
  store.subscribe(
    (s) => [s.items, s.active, format.channelNames(s.scene).join()],
    (items, active, _names) =>
      showChips(find('chips'), items, active, format.channelNames(store.state.scene)),
  );
  store.subscribe(
    (s) => [s.items[s.active]],
    (item) => presets.showValuesOf(item),
  );
  store.subscribe(
    (s) => [s.items[editedIndex(s.items, s.active)]],
    (item) => bounds.show(item),
  );
  store.subscribe(
    (s) => [s.readout, s.items, s.preview, searchOf(s)],
    () => display.showReadout(),
  );
}

/** @param {import('../view.js').View} view */
function connectFills({ store, root, find, shape, player }) {
  store.subscribe(
    (s) => [s.variations, s.variation?.id ?? null],
    (variations, id) => {
      find('history').hidden = !variations.length;
      showVariations(find('variations'), variations, id);
      showDetails(
        find('variation-details'),
        variations.find((v) => v.id === id),
      );
    },
  );
  store.subscribe(
    (s) => [s.heardId, isWidened(s), JSON.stringify(shapeOfFill(s, s.heardId))],
    (id, widened, _shape) => shape.show(id === null ? null : shapeOfFill(store.state, id), widened),
  );
  // the shape of a variation that is loaded comes with its spans
  store.subscribe(
    (s) => [s.shapes],
    () => player.setShape(shapeOfFill(store.state, store.state.heardId)),
  );
  store.subscribe(
    (s) => [s.busy, s.live],
    (busy, live) => {
      root.classList.toggle('busy', busy);
      find('progress').style.width = busy && live ? (100 * live.done) / live.total + '%' : '0';
    },
  );
  // Gradio may make the buttons after the view: they are looked up with every message
  store.subscribe(
    (s) => [!!s.scene, s.messageNumber],
    (hasSound, _number) => enableFills(hasSound),
  );
  store.subscribe(
    (s) => [s.base, s.messageNumber],
    (base, _number) => {
      if (base) explainAdditions(base);
    },
  );
  store.subscribe(
    (s) => [JSON.stringify(s.additions), !!s.scene, baseOfAdditions(s)],
    (_seconds, _hasSound, base) => showAdditions(store.state.additions, base),
  );
  // settings that act on some fills alone are there where they act
  store.subscribe(
    (s) => [s.acting.join(' ')],
    (acting) => {
      document.body.dataset.acting = acting;
    },
  );
  store.subscribe(
    (s) => [JSON.stringify(s.reference), !!s.scene],
    (_reference, _hasSound) => showReference(store.state.reference),
  );
  store.subscribe(
    (s) => [s.items.length > 0, s.messageNumber],
    (isSelected, _number) => showSelected(isSelected),
  );
  store.subscribe(
    (s) => [
      s.busy,
      s.pursues,
      s.live,
      s.isQueued,
      s.ahead,
      !!s.scene && s.items.length > 0 && isPending(s),
      s.items.length ? format.about(s.expected) : '',
    ],
    (busy, pursues, live, isQueued, ahead, pending, expected) =>
      showFillButton({ busy, pursues, live, isQueued, ahead, pending, expected }),
  );
}

/** @param {import('../view.js').View} view */
function connectSound(view) {
  const { store, find, display, presets } = view;
  store.subscribe(
    (s) => [s.scene, s.base, s.shown, s.variation, s.version],
    () => display.showTitle(),
  );
  // until the sound from before a reload is back, the page has its first example
  store.subscribe(
    (s) => [s.restored],
    (restored) => {
      view.root.dataset.restoring = String(!!restored);
      const textContent = restored ? 'Restoring ' + restored.name + ' …' : '';
      Object.assign(find('restoring'), { hidden: !restored, textContent });
    },
  );
  store.subscribe(
    (s) => [s.base],
    () => display.showColourChoices(),
  );
  store.subscribe(
    (s) => [s.base, s.scene],
    () => display.showAtomizer(),
  );
  // a choice of atoms that came to nothing is taken back
  store.subscribe(
    (s) => [s.busy, s.messageNumber],
    (busy, _number) => {
      if (!busy) display.showAtomizer();
    },
  );
  store.subscribe(
    (s) => [format.channelNames(s.scene).join()],
    () => {
      display.showChannels();
      presets.syncSlider();
    },
  );
  store.subscribe(
    (s) => [s.scene, s.colour],
    () => display.showLegend(),
  );
  store.subscribe(
    (s) => [statusOf(s)],
    (status) => {
      find('status').textContent = status;
    },
  );
  store.subscribe(
    (s) => [s.findings],
    (findings) => showFindings(find('findings'), findings),
  );
  store.subscribe(
    (s) => [
      leftOut(s)
        .map(({ label }) => label)
        .join(),
      lastShown(s, leftOut(s)),
      s.layers.length,
    ],
    (_labels, _kept, _layers) => showBase(find, store.state),
  );
  store.subscribe(
    (s) => [s.layers.length ? null : s.before], // layers have a button of their own
    (before) => {
      const textContent = before ? 'Back to ' + before : '';
      Object.assign(find('revert'), { hidden: !before, textContent });
    },
  );
  store.subscribe(
    (s) => [s.layers.join('\n')],
    () => showLayers(find('layers'), store.state.layers),
  );
  // the buttons of the examples come after the view: they are marked again with every message
  store.subscribe(
    (s) => [s.example, s.note, isExampleShown(s), s.messageNumber],
    (example, note, isShown, _number) => showExample(example, note, isShown),
  );
  store.subscribe(
    (s) => [s.excerpt],
    (excerpt) => view.attempt(view.excerpt.show(excerpt)),
  );
  store.subscribe(
    (s) => [s.compression, s.originalUrl],
    (compression, url) => view.attempt(view.orders.file.receive(compression, url ?? '')),
  );
}
