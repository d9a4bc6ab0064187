// Buttons follow the state: which are pressed, which are disabled, and what they say.

import { estimateFileSize } from '../util/file_sizes.js';
import * as format from '../util/format.js';

/** @typedef {import('../view.js').View} View */

const PLAY_ICON = 'M6 4l10 6-10 6z';
const PAUSE_ICON = 'M5 4h3.500v12H5zM11.500 4H15v12h-3.500z';

/** Names of the versions in the export menu.
 * @type {Record<import('../types').Version, string>} */
export const VERSIONS = {
  original: 'The original',
  masked: 'Masked',
  filled: 'Filled',
  change: 'The change',
  first: 'The original',
};

/** @param {View} view
 * @returns {Record<string, boolean>} */
const pressedButtons = ({ state, player, orders }) => ({
  subtract: state.op === 'subtract',
  union: state.op === 'add',
  loop: state.looping,
  match: player.matched,
  order: orders.open,
});

/** @param {View} view
 * @returns {Record<string, boolean>} */
function disabledButtons({ state, player, history, items }) {
  const hasNoVariation = state.busy || !state.variation;
  return {
    undo: !history.past.length,
    redo: !history.future.length,
    clear: !items.length,
    play: !player.buffers.original,
    noise: hasNoVariation,
    adopt: hasNoVariation,
    forget: hasNoVariation,
    blind: !state.variations.length,
    revert: state.busy,
  };
}

/** @param {View} view */
function syncActions(view) {
  const { state, root } = view;
  const pressed = pressedButtons(view);
  const disabled = disabledButtons(view);
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = root.querySelectorAll('[data-act]');
  for (const button of buttons) {
    const name = button.dataset.act ?? '';
    if (button.hasAttribute('aria-pressed'))
      button.setAttribute('aria-pressed', String(!!pressed[name]));
    if (button.getAttribute('role') === 'radio')
      button.setAttribute('aria-checked', String(state.tool === name));
    button.disabled = !state.scene || !!disabled[name];
  }
}

/** @param {View} view */
function syncVersions(view) {
  const { state, player, items } = view;
  for (const button of view.playback.versionButtons()) {
    const version = /** @type {import('../types').Version} */ (button.dataset.version);
    button.setAttribute('aria-checked', String(state.version === version));
    button.disabled = !player.buffers[version];
  }
  const isRendering = !!view.maskedPreview.rendering && !player.buffers.masked && items.length > 0;
  view.playback.versionButton('masked').textContent = isRendering ? 'Masked …' : 'Masked';
  view.playback.versionButton('filled').textContent =
    state.variation && state.variations.length > 1 ? 'Filled ' + state.variation.label : 'Filled';
}

/** @param {View} view */
function syncExports(view) {
  const { state, find, root } = view;
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = root.querySelectorAll('[data-export]');
  for (const button of buttons) button.disabled = !state.scene;
  for (const kind of /** @type {const} */ (['npz', 'csv']))
    find('size-' + kind).textContent = state.scene
      ? 'about ' + format.bytes(estimateFileSize(kind, state.scene))
      : '';
  const label =
    state.variation && ['filled', 'change'].includes(state.version)
      ? ' ' + state.variation.label
      : '';
  find('export-what').textContent = VERSIONS[view.playback.exportedVersion] + label;
}

/** Bring all buttons up to date.
 * @param {View} view */
export function syncButtons(view) {
  const { state, player, find } = view;
  syncActions(view);
  syncVersions(view);
  syncExports(view);
  find('atomizer').disabled = !state.scene || state.busy;
  find('play-label').textContent = player.playing ? 'Pause' : 'Play';
  find('play-icon').setAttribute('d', player.playing ? PAUSE_ICON : PLAY_ICON);
  find('through').textContent = view.orders.isBuildingUp ? 'Pause' : 'Build up';
  view.root.dataset.stacked = String(view.picture.stacked);
}
