// Files dropped anywhere on the page: one is loaded, of several the user chooses one.

const SELECTION = /\.json$/i;
const SESSION = /\.atomizer$/i;

/**
 * @typedef {object} Host
 * @property {(file: File) => void} loadSound sounds and sessions
 * @property {(file: File) => void} loadSelection selections and settings
 */

/** Whether a file is a session, by its name.
 * @param {File} file */
export const isSession = (file) => SESSION.test(file.name);

/** Whether a file is a selection or settings, by its name.
 * @param {File} file */
export const isSelection = (file) => SELECTION.test(file.name);

/** Whether a drag carries files.
 * @param {DragEvent} event */
const hasFiles = ({ dataTransfer }) => !!dataTransfer && [...dataTransfer.types].includes('Files');

/** @param {HTMLElement} list
 * @param {File[]} files
 * @param {(file: File) => void} choose */
export function showFiles(list, files, choose) {
  list.replaceChildren(
    ...files.map((file) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'outlined';
      button.textContent = file.name;
      button.addEventListener('click', () => choose(file));
      return button;
    }),
  );
}

/** Follow drags over the page.
 * @param {HTMLDialogElement} dialog where one of several files is chosen
 * @param {HTMLElement} list in it
 * @param {Host} host */
export function watchDrops(dialog, list, host) {
  const load = (/** @type {File} */ file) => {
    dialog.close();
    if (isSelection(file)) host.loadSelection(file);
    else host.loadSound(file);
  };
  const { body } = document;
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault(); // the browser would open the file
    body.dataset.dropping = 'true';
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) delete body.dataset.dropping;
  });
  // before Gradio's drop zone, which takes the first file and says nothing about the others
  document.addEventListener(
    'drop',
    (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      delete body.dataset.dropping;
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 1) load(files[0]);
      else if (files.length) {
        showFiles(list, files, load);
        dialog.showModal();
      }
    },
    true,
  );
}
