// Files dropped anywhere on the page: one is loaded, of several that can be read the user chooses
// one.

const SELECTION = /\.json$/i;
const SESSION = /\.atomizer$/i;
const MOST_NAMED = 3; // files that were left out, and endings of sounds

/**
 * @typedef {object} Host
 * @property {(file: File) => void} loadSound sounds and sessions
 * @property {(file: File) => void} loadSelection selections and settings
 * @property {string[]} endings of sounds that Python reads
 * @property {(text: string) => void} say
 */

/** Whether a file is a session, by its name.
 * @param {File} file */
export const isSession = (file) => SESSION.test(file.name);

/** Whether a file is a selection or settings, by its name.
 * @param {File} file */
export const isSelection = (file) => SELECTION.test(file.name);

/** Whether a file, by its name or type, is one that the page loads.
 * @param {Pick<File, 'name' | 'type'>} file
 * @param {string[]} endings of sounds */
const isReadable = ({ name, type }, endings) =>
  SELECTION.test(name) ||
  SESSION.test(name) ||
  endings.some((ending) => name.toLowerCase().endsWith(ending)) ||
  /^(audio|video)\//.test(type);

/** Which files of a drop were left out, and what is accepted; empty where none was.
 * @param {Pick<File, 'name'>[]} files that were left out
 * @param {string[]} endings of sounds */
export function leftOutText(files, endings) {
  if (!files.length) return '';
  const names = files.slice(0, MOST_NAMED).map(({ name }) => name);
  if (files.length > MOST_NAMED) names.push(files.length - MOST_NAMED + ' more');
  return (
    'Left out: ' +
    names.join(', ') +
    '. Accepted are sounds (' +
    endings.slice(0, MOST_NAMED).join(', ') +
    ' and others), sessions (.atomizer), and settings or selections (.json).'
  );
}

/** What to do with dropped files. A single one is always loaded: Python says what is wrong with it.
 * @template {Pick<File, 'name' | 'type'>} F
 * @param {F[]} files
 * @param {string[]} endings of sounds
 * @returns {{readable: F[], text: string}} those that can be read, and a sentence on the others */
export function sortFiles(files, endings) {
  if (files.length < 2) return { readable: files, text: '' };
  const readable = files.filter((file) => isReadable(file, endings));
  const leftOut = files.filter((file) => !readable.includes(file));
  return { readable, text: leftOutText(leftOut, endings) };
}

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
 * @param {{list: HTMLElement, note: HTMLElement}} parts of it
 * @param {Host} host */
export function watchDrops(dialog, { list, note }, host) {
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
      const { readable, text } = sortFiles(files, host.endings);
      if (readable.length > 1) {
        showFiles(list, readable, load);
        note.textContent = text;
        dialog.showModal();
        return;
      }
      if (readable.length) load(readable[0]);
      if (text) host.say(text);
    },
    true,
  );
}
