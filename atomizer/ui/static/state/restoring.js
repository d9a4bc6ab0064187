// A page that was loaded again gets its sound, its selection and its fills back.

import { chooseFile, isSameSound } from './persistence.js';
import { afterUpload, FIELD } from './loading.js';

/** @typedef {import('../view.js').View} View */

/** After a reload, get sound and selection from before.
 * @param {View} view */
export async function restoreAfterReload({ persistence, store }) {
  const source = document.getElementById('file');
  if (source) persistence.watchFiles(source);
  try {
    store.set({ restored: source && (await persistence.restore()) });
  } catch {
    store.set({ restored: null }); // the browser stores nothing
  }
}

/** Store a new sound; or, after a reload, get the session back, with its fills. Where the server
 * no longer has it, upload the stored sound and select as before.
 * @param {View} view
 * @param {import('../types').Message} message
 * @param {import('../types').Scene} scene */
export async function storeSound(view, message, scene) {
  const { restored } = view.state;
  if (restored?.resume) {
    view.trigger('resume', { key: restored.resume, is_copy: restored.isCopy });
    Object.assign(restored, { resume: '', isWaiting: true });
    return;
  }
  if (restored) restored.isWaiting = false;
  // an example is shown again, not played
  if (restored && message.proposal) view.store.set({ playedExampleId: message.proposal.id });
  if (restored && !isSameSound(restored, scene)) {
    /** @type {HTMLInputElement | null} */
    const input = document.querySelector(FIELD);
    if (input && !restored.requested) {
      restored.requested = true;
      const { status } = view.state;
      afterUpload(view, () => endWithoutSound(view, status));
      chooseFile(input, restored.blob, restored.name);
      return;
    }
  }
  view.store.set({ restored: null });
  view.persistence.isShown = true;
  if (restored && restored.items.length) {
    view.history.reset({ ...view.history.value, items: restored.items });
    view.editor.selectionChanged();
  } else view.persistence.saveSelection(view.items);
  await view.persistence.saveSound(scene, message.original.url, restored).catch(() => {});
}

/** Where the stored sound was not loaded, go on without it; it stays stored until another sound is.
 * @param {View} view
 * @param {string} before status before the upload; Python may have said what is wrong since */
function endWithoutSound(view, before) {
  const { restored, status } = view.state;
  if (!restored) return;
  view.store.set({ restored: null });
  view.persistence.isShown = false;
  const { name } = restored;
  if (status === before)
    view.showError(name + ' could not be uploaded again: reload the page to try once more.');
}
