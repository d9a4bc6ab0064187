// Buttons follow the state: which are pressed, which are disabled, and what they say.

import { isNeutral } from '../audio/shaping.js';
import { exportedVersion, shapeOfFill } from '../state/selectors.js';
import { estimateFileSize } from '../util/file_sizes.js';
import * as format from '../util/format.js';
import { showPlaying } from './shell.js';

/** @typedef {Readonly<import('../types').ViewState>} State */
/** @typedef {import('../state/store.js').Store<import('../types').ViewState>} Store */

const PLAY_ICON = 'M6 4l10 6-10 6z';
const PAUSE_ICON = 'M5 4h3.500v12H5zM11.500 4H15v12h-3.500z';

/** Why a version cannot be played.
 * @type {Partial<Record<import('../types').Version, string>>} */
const WHY_SILENT = {
  masked: 'Select something first: masked is the sound without it',
  filled: 'Fill something in first',
  change: 'Fill something in first',
};

/** Names of the versions in the export menu.
 * @type {Record<import('../types').Version, string>} */
export const VERSIONS = {
  original: 'Original',
  masked: 'Masked',
  filled: 'Filled',
  change: 'Change',
  first: 'Original',
};

/** @param {State} state
 * @returns {Record<string, boolean>} */
const pressedButtons = ({ op, looping, matched, isOrderOpen }) => ({
  subtract: op === 'subtract',
  union: op === 'add',
  loop: looping,
  match: matched,
  order: isOrderOpen,
});

/** Whether the fill that is heard is as it was filled in.
 * @param {State} state */
const isShapeless = (state) => isNeutral(shapeOfFill(state, state.heardId));

/** @param {State} state
 * @returns {Record<string, boolean>} */
export function disabledButtons(state) {
  const { busy, variation, variations, items, playable, undoSteps, redoSteps, clipboard } = state;
  const hasNoVariation = busy || !variation;
  return {
    undo: !undoSteps,
    redo: !redoSteps,
    clear: !items.length,
    copy: !items.length,
    paste: !clipboard.length || busy,
    play: !playable.includes('original'),
    noise: hasNoVariation,
    accept: hasNoVariation,
    forget: hasNoVariation,
    blind: !variations.length,
    revert: busy,
    resetShape: isShapeless(state),
  };
}

/** @param {HTMLElement} root
 * @param {State} state */
function syncActions(root, state) {
  const pressed = pressedButtons(state);
  const disabled = disabledButtons(state);
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

/** @param {HTMLElement} root
 * @param {State} state */
function syncVersions(
  root,
  { version, playable, variation, variations, items, isRenderingMasked },
) {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = root.querySelectorAll('[data-version]');
  for (const button of buttons) {
    const name = /** @type {import('../types').Version} */ (button.dataset.version);
    button.setAttribute('aria-checked', String(version === name));
    button.disabled = !playable.includes(name);
    button.dataset.title ??= button.title;
    button.title = (button.disabled && WHY_SILENT[name]) || button.dataset.title;
    const isRendering = isRenderingMasked && !playable.includes('masked') && items.length > 0;
    if (name === 'masked') button.textContent = isRendering ? 'Masked …' : 'Masked';
    if (name === 'filled')
      button.textContent =
        variation && variations.length > 1 ? 'Filled ' + variation.label : 'Filled';
  }
}

/** @param {import('../types').Find} find
 * @param {State} state */
function syncExports(find, state) {
  const { scene, variation, version } = state;
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = find('export-menu').querySelectorAll('[data-export]');
  for (const button of buttons) button.disabled = !scene;
  for (const kind of /** @type {const} */ (['npz', 'csv']))
    find('size-' + kind).textContent = scene
      ? 'about ' + format.bytes(estimateFileSize(kind, scene))
      : '';
  const label = variation && ['filled', 'change'].includes(version) ? ' ' + variation.label : '';
  const what = VERSIONS[exportedVersion(state)] + label;
  find('export-what').textContent = what;
  /** @type {NodeListOf<HTMLElement>} */
  const names = find('export-menu').querySelectorAll('[data-what]');
  for (const name of names) name.textContent = what + ' as ';
}

/** Keep all buttons up to date.
 * @param {Store} store
 * @param {HTMLElement} root
 * @param {import('../types').Find} find */
export function connectButtons(store, root, find) {
  const { state } = store;
  store.subscribe(
    (s) => [
      ...[
        s.op,
        s.looping,
        s.matched,
        s.isOrderOpen,
        s.undoSteps,
        s.redoSteps,
        s.items,
        s.clipboard,
      ],
      ...[s.playable, s.busy, s.variation, s.variations, s.scene, s.tool, isShapeless(s)],
    ],
    () => syncActions(root, state),
  );
  store.subscribe(
    (s) => [s.version, s.playable, s.variation, s.variations, s.items, s.isRenderingMasked],
    () => syncVersions(root, state),
  );
  store.subscribe(
    (s) => [s.scene, s.variation, s.version],
    () => syncExports(find, state),
  );
  store.subscribe(
    (s) => [!s.scene || s.busy],
    (isDisabled) => {
      find('atomizer').disabled = isDisabled;
    },
  );
  store.subscribe(
    (s) => [s.playing],
    (playing) => {
      find('play-label').textContent = playing ? 'Pause' : 'Play';
      showPlaying(playing);
      find('play-icon').setAttribute('d', playing ? PAUSE_ICON : PLAY_ICON);
    },
  );
  store.subscribe(
    (s) => [s.isBuildingUp],
    (isBuildingUp) => {
      find('through').textContent = isBuildingUp ? 'Pause' : 'Build up';
    },
  );
}
