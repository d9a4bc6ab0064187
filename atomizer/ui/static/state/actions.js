// Actions of buttons and keys, by name: `data-act` in view.html, `action` in panels/shortcuts.js.

import { matchText } from '../audio/levels.js';
import { VERSIONS } from '../panels/buttons.js';
import { press } from '../panels/shell.js';
import { isPursuit } from '../plot/pursuit.js';
import { TOOLS } from '../tools/registry.js';
import { saveSelection } from '../util/files.js';
import { invert } from './selection.js';
import { lastShown, leftOut, shapeOfFill } from './selectors.js';

/** @typedef {import('../types').FrequencyScale} FrequencyScale */
/** @typedef {import('../types').Version} Version */

const COLOURS = ['sign', 'state', 'channel', 'rank', 'scale'];
/** @type {FrequencyScale[]} */
const FREQUENCY_SCALES = ['log', 'linear', 'mel'];
const ZOOM = 0.7;

/** The entry after the current one, and the first after the last.
 * @template T
 * @param {T[]} list
 * @param {T} current */
const following = (list, current) => list[(list.indexOf(current) + 1) % list.length];

/** @param {import('../view.js').View} view
 * @returns {Record<string, () => unknown>} */
export function createActions(view) {
  const { state, store, picture, player, orders, presets } = view;
  /** @param {import('../types').SelectionMode} op */
  const toggleMode = (op) => store.set({ op: state.op === op ? 'replace' : op });
  const wholeRange = () => view.playback.loopRange() || [0, player.duration()];
  const onVariation = (/** @type {string} */ event) => () =>
    view.trigger(event, { id: state.variation?.id });
  const accept = (/** @type {number | null} */ id) =>
    view.trigger('accept', { id, shape: shapeOfFill(state, id) });
  return {
    ...Object.fromEntries(TOOLS.map(({ id }) => [id, () => store.set({ tool: id })])),
    ...Object.fromEntries(
      Object.keys(VERSIONS).map((name) => [
        name,
        () => view.playback.chooseVersion(/** @type {Version} */ (name)),
      ]),
    ),

    // view
    fit: () => picture.fit(),
    closer: () => view.display.zoomBy(ZOOM),
    farther: () => view.display.zoomBy(1 / ZOOM),
    pitch: () => view.display.setPitch(picture.notes ? 'hertz' : 'notes'),
    scale: () => view.display.setScale(following(FREQUENCY_SCALES, picture.scale)),
    colour: () => {
      const colours = COLOURS.filter((colour) => colour !== 'scale' || isPursuit(state.base));
      view.display.setColour(following(colours, state.colour));
    },

    // selection
    subtract: () => toggleMode('subtract'),
    union: () => toggleMode('add'),
    snap: () => view.editor.snap(),
    similar: () => view.editor.findSimilar(),
    standout: () => view.editor.toggleStandout(),
    copy: () => view.clipboard.copy(),
    paste: () => view.clipboard.paste(),
    undo: () => view.editor.step('undo'),
    redo: () => view.editor.step('redo'),
    clear: () => {
      if (view.items.length) view.editor.change([]);
    },
    remove: () => view.editor.remove(state.active),
    invert: () => {
      const items = invert(view.items);
      if (items) view.editor.change(items);
      else
        view.showError(
          "Parts such as random, loudest or transients can't be inverted, only regions.",
        );
    },
    preset: () => presets.add(),
    saveSelection: () => saveSelection(view.items),
    saveSession: () => view.playback.saveSession(),
    loadSelection: () => view.find('selection-file').click(),

    // erase and fill in
    erase: () => view.playback.erase(),
    fill: () => press('#fill'),
    stop: () => press('#stop'),

    // player
    play: () => player.toggle(),
    playSelection: () => {
      player.stopVoices();
      player.start(/** @type {import('../types').Range} */ (wholeRange()));
    },
    loop: () => {
      store.set({ looping: !state.looping });
      player.loop(state.looping ? /** @type {import('../types').Range} */ (wholeRange()) : null);
    },
    match: () => {
      player.setMatched(!player.matched);
      view.holdStatus(matchText(player.matched, player.matchingGain()));
    },
    back: () => player.seek(player.position() - 1),
    ahead: () => player.seek(player.position() + 1),

    // orderings
    order: () => orders.setOpen(!orders.open),
    through: () => orders.toggleBuildUp(),

    // variations
    previous: () => view.playback.stepVariation(-1),
    next: () => view.playback.stepVariation(1),
    noise: onVariation('noise'),
    accept: () => accept(state.variation?.id ?? null),
    keepFirst: () => accept(lastShown(state, leftOut(state))?.id ?? null),
    resetShape: () => view.shape.reset(),
    blind: () => view.blind.open(),
    forget: onVariation('forget'),
    revert: () => view.trigger('revert', {}),
  };
}
