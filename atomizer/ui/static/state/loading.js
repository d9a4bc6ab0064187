// A file that Gradio uploads: what the status line says of it, also where it is not loaded. Gradio
// tells the page nothing of an upload that failed, but its field is there again.

export const FIELD = '#file input[type=file]';
const ANSWER_MS = 500; // within which the message follows the field

/** @typedef {import('../view.js').View} View */

/** Say that a file is loaded, and in the end, that it was not.
 * @param {View} view
 * @param {string} name */
export function announceUpload(view, name) {
  const text = 'Loading ' + name + ' …';
  const before = view.state.base?.id;
  view.releaseStatus(); // an error before it must not hide what Python says
  view.showStatus(text);
  afterUpload(view, () => {
    const { base, scene, status } = view.state;
    // the new sound is there, or the status says why there is none
    if (base?.id !== before || status !== text) return;
    view.showError(name + ' was not loaded' + (scene ? ': ' + scene.name + ' stays.' : '.'));
  });
}

/** Call a function once Gradio has taken a file or has given up, and the page has shown the answer.
 * @param {Pick<View, 'messages'>} view
 * @param {() => void} done */
export function afterUpload(view, done) {
  let isGone = false;
  const observer = new MutationObserver(async () => {
    const isThere = !!document.querySelector(FIELD);
    if (isGone && isThere) {
      observer.disconnect();
      do await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
      while (view.messages.applying);
      done();
    }
    isGone ||= !isThere;
  });
  const source = document.getElementById('file');
  if (source) observer.observe(source, { childList: true, subtree: true });
}
