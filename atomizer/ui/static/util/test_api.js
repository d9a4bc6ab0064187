// What tests and benchmarks may read of a view, and do with it: `atomView.testApi` of its element.
// Everything else of the view is private and may change without notice.

import { isPending } from '../state/selectors.js';

/** @param {import('../view.js').View} view */
export function createTestApi(view) {
  return {
    /** ViewState of types.d.ts. */
    state: view.state,
    player: view.player,
    picture: view.picture,
    orders: view.orders,
    blind: view.blind,
    /** Items of the selection. */
    get items() {
      return view.items;
    },
    /** What the component sends to Python. */
    get value() {
      return view.props.value;
    },
    /** Whether the selection was not filled in yet. */
    get pending() {
      return isPending(view.state);
    },
    /** Number of steps that can be undone. */
    get undoSteps() {
      return view.history.past.length;
    },
    /** The excerpt that the overview shows. */
    get excerpt() {
      return view.excerpt.chosen;
    },
    /** Whether the masked preview is being rendered. */
    get isRenderingPreview() {
      return !!view.maskedPreview.rendering;
    },
    /** Names of the rows of the colour table. */
    get colourNames() {
      return view.palette.names;
    },
    /** Everything that helps to see why a test waits in vain. */
    get summary() {
      const { state, player, items } = view;
      return {
        message: state.messageNumber,
        busy: state.busy,
        live: state.live && state.live.number,
        variations: state.variations.map((v) => v.id),
        variation: state.variation && state.variation.id,
        lastShownId: state.lastShownId,
        showOriginal: state.showOriginal,
        items: items.length,
        sound: state.base && state.base.name,
        scene: state.scene && state.scene.id,
        urls: player.urls,
      };
    },
    /** Position of a point of the plane on the screen.
     * @param {number} seconds
     * @param {number} hertz
     * @param {number} lane */
    pixel(seconds, hertz, lane) {
      const { picture } = view;
      const box = picture.stage.getBoundingClientRect();
      const y = picture.y(hertz, picture.lanes()[lane]);
      return [box.left + picture.x(seconds), box.top + y];
    },
    /** Show an item as if it were being drawn.
     * @param {import('../types').Item} item */
    preview: (item) => view.editor.preview(item, -1),
    /** Send an event to Python.
     * @param {string} event
     * @param {object} payload */
    send: (event, payload) => view.trigger(event, payload),
    /** Forget decoded sounds, so that they are fetched again. */
    clearSoundCache: () => view.player.cache.clear(),
  };
}
