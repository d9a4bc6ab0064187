// What is shown and heard of a sound, and how that comes back: when one goes back to the sound, and
// after a reload.

import { isSameSound } from './persistence.js';

/** @typedef {import('../view.js').View} View */
/** @typedef {import('../types').SavedView} SavedView */
/** @typedef {import('../types').StoredView} StoredView */

/** Fields of the page that a reload does not reset.
 * @type {readonly string[]} */
const FIELDS = ['scale', 'pitch', 'channels', 'colour', 'contrast', 'margin', 'volume'];

/** What the view shows of its sound.
 * @param {View} view
 * @returns {SavedView} */
export function savedViewOf({ state, player, picture }) {
  const [low, high] = picture.u.map((unit) => picture.hertz(unit));
  return {
    items: state.items,
    showOriginal: state.showOriginal,
    shownId: state.variation && state.variation.id,
    version: state.version,
    position: player.position(),
    looping: state.looping,
    time: picture.t,
    hertz: [low, high],
    shapes: state.shapes,
  };
}

/** Store what is shown whenever the page may be left, but not before all of it has come back.
 * @param {View} view */
export function saveOnLeave(view) {
  const { state, persistence } = view;
  const save = () => {
    const { base, restored, returning } = state;
    if (!base || restored || returning) return;
    const { items: _, shapes, ...saved } = savedViewOf(view);
    const { name, duration, channels, total, sound } = base;
    const fields = FIELDS.map((field) => [field, inputOf(view, field).value]);
    persistence.saveView({
      ...{ name, duration, channels, total, sound, ...saved },
      ...{ shapes: [...shapes], fields: Object.fromEntries(fields) },
    });
  };
  addEventListener('pagehide', save);
  document.addEventListener('visibilitychange', () => document.hidden && save());
}

/** Prepare that the sound from before a reload comes back as it was shown. A session that the
 * server has lost has no variations.
 * @param {Pick<View, 'state'>} view
 * @param {import('../types').Scene} scene */
export function prepareReturn({ state }, scene) {
  const { view, items } = state.restored ?? {};
  if (!view || !items || !(view.sound === scene.sound || isSameSound(view, scene))) return;
  const fills =
    view.sound === scene.sound
      ? { shapes: new Map(view.shapes) }
      : { shapes: new Map(), showOriginal: false, shownId: null };
  state.savedViews.set(scene.sound, { ...view, items, ...fills });
}

/** Show the axes and the range that were shown.
 * @param {View} view
 * @param {SavedView} saved */
export function showRange(view, { fields = {}, time, hertz }) {
  const { picture } = view;
  for (const [field, value] of Object.entries(fields)) setField(view, field, value);
  const [low, high] = hertz.map((edge) => picture.unit(edge));
  return picture.setRange(time, [low, high]);
}

/** Show and hear what was, once the variation is loaded.
 * @param {View} view
 * @param {SavedView} saved */
export async function finishReturn(view, saved) {
  const { player, playback, maskedPreview, state } = view;
  showRange(view, saved); // again: the variation may be longer than the sound
  player.seek(saved.position);
  if (saved.looping !== state.looping) view.actions.loop();
  if (saved.version !== 'masked' || state.variation) return;
  await maskedPreview.update(state); // it is made in the page
  playback.chooseVersion('masked');
}

/** @param {View} view
 * @param {string} field
 * @returns {HTMLInputElement | HTMLSelectElement} */
const inputOf = (view, field) =>
  /** @type {HTMLInputElement | HTMLSelectElement} */ (view.find(field));

/** @param {View} view
 * @param {string} field
 * @param {string} value */
function setField(view, field, value) {
  const input = inputOf(view, field);
  const before = input.value;
  input.value = value;
  if (input.value !== value)
    input.value = before; // a choice that this sound does not have
  else if (value !== before)
    for (const type of ['input', 'change']) input.dispatchEvent(new Event(type));
}
