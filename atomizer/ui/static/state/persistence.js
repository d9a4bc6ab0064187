// Sound and selection of a tab survive a reload: Gradio reloads the page after the server was away.
//
// The sound is stored in the browser's database under the name of the tab, the selection in the
// tab's session storage. Sounds of tabs that are closed are deleted after a day.

import { fetchFile } from '../util/files.js';

/** @typedef {import('../types').StoredSound} StoredSound */
/** @typedef {Pick<StoredSound, 'name' | 'duration' | 'channels' | 'total'>} SoundKey */

const DATABASE = 'atomizer';
const STORE = 'sounds';
const TAB_KEY = 'atomizer-tab';
const SELECTION_KEY = 'atomizer-selection';
const SESSION_KEY = 'atomizer-session';
const VIEW_KEY = 'atomizer-view';
const DAY = 24 * 3600 * 1000; // milliseconds

/** Whether a scene is the stored sound.
 * @param {SoundKey} stored
 * @param {SoundKey} scene */
export const isSameSound = (stored, scene) =>
  stored.name === scene.name &&
  stored.duration === scene.duration &&
  stored.channels === scene.channels &&
  stored.total === scene.total;

/** Keys of entries that are older than a day.
 * @template K
 * @param {[K, {time?: number}][]} entries
 * @param {number} now milliseconds */
export const expiredKeys = (entries, now) =>
  entries.filter(([, { time = NaN }]) => !(now - time < DAY)).map(([key]) => key);

/** @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>} */
function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransactionMode} mode */
async function openStore(mode) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return (await resultOf(opening)).transaction(STORE, mode).objectStore(STORE);
}

const newName = () => crypto.getRandomValues(new Uint32Array(3)).join('-');

/** Hold the name of a tab as long as its page is open. Resolves to false where another page holds
 * it. Pages without encryption, or in a sandbox, have no locks.
 * @param {string} name
 * @param {LockManager | null | undefined} locks
 * @returns {Promise<boolean>} */
const hold = (name, locks) =>
  new Promise((resolve) => {
    if (!locks) return resolve(true);
    /** @param {Lock | null} lock */
    const answer = (lock) => {
      resolve(!!lock);
      return lock && new Promise(() => {});
    };
    locks
      .request(`${DATABASE}-tab-${name}`, { ifAvailable: true }, answer)
      .catch(() => resolve(true));
  });

/** Storage of one tab. */
export class Persistence {
  /** @param {Pick<Storage, 'getItem' | 'setItem'>} storage */
  constructor(storage = sessionStorage) {
    this.storage = storage;
    this.tab = storage.getItem(TAB_KEY) || newName();
    storage.setItem(TAB_KEY, this.tab);
    /** @type {File | null} */
    this.lastFile = null;
    this.request = 0;
    /** Whether the stored sound is the one that is shown. */
    this.isShown = true;
  }

  /** Remember the files that are chosen in, or dropped on, an element.
   * @param {EventTarget} element */
  watchFiles(element) {
    /** @param {FileList | null | undefined} files */
    const remember = (files) => {
      if (files && files.length) this.lastFile = files[0];
    };
    element.addEventListener(
      'change',
      (event) => remember(/** @type {HTMLInputElement} */ (event.target).files),
      true,
    );
    element.addEventListener(
      'drop',
      (event) => remember(/** @type {DragEvent} */ (event).dataTransfer?.files),
      true,
    );
  }

  /** Store the sound of a scene: the chosen file if it has this name, what was stored of it before
   * a reload, or else the page's copy at `url`, which may have fewer bits. Only the last of several
   * calls counts.
   * @param {SoundKey} scene
   * @param {string} url
   * @param {StoredSound | null} [stored] */
  async saveSound(scene, url, stored = null) {
    const { name, duration, channels, total } = scene;
    const request = ++this.request;
    const known = stored && isSameSound(stored, scene) ? stored.blob : null;
    const chosen = this.lastFile?.name === name ? this.lastFile : known;
    const blob = chosen ?? (await (await fetchFile(url)).blob());
    if (request !== this.request) return;
    const entry = { name, duration, channels, total, blob, time: Date.now() };
    await resultOf((await openStore('readwrite')).put(entry, this.tab));
  }

  /** @param {import('../types').Item[]} items */
  saveSelection(items) {
    this.storage.setItem(SELECTION_KEY, JSON.stringify(items));
  }

  /** Remember what is shown, for the sound that is stored.
   * @param {import('../types').StoredView} view */
  saveView(view) {
    if (!this.isShown) return;
    this.storage.setItem(VIEW_KEY, JSON.stringify(view));
  }

  /** Remember the session of the server.
   * @param {string} key */
  saveSession(key) {
    this.storage.setItem(SESSION_KEY, key);
  }

  /** Take another name where another tab has this one: the storage of a tab is copied with it.
   * @param {LockManager | null | undefined} locks
   * @returns {Promise<boolean>} whether this tab is a copy */
  async claimName(locks = navigator.locks) {
    if (await hold(this.tab, locks)) return false;
    this.tab = newName();
    this.storage.setItem(TAB_KEY, this.tab);
    return hold(this.tab, locks);
  }

  /** Sound and selection from before a reload, or before the page was left; null if there are none.
   * @returns {Promise<import('../types').RestoredSound | null>} */
  async restore() {
    const { tab } = this;
    const isCopy = await this.claimName();
    const [navigation] = performance.getEntriesByType('navigation');
    if (/** @type {PerformanceNavigationTiming} */ (navigation)?.type === 'navigate') return null;
    const items = JSON.parse(this.storage.getItem(SELECTION_KEY) || '[]');
    const sounds = await openStore('readwrite');
    /** @type {StoredSound | undefined} */
    const found = await resultOf(sounds.get(tab));
    const keys = await resultOf(sounds.getAllKeys());
    /** @type {StoredSound[]} */
    const values = await resultOf(sounds.getAll());
    const entries = keys.map(
      (key, k) => /** @type {[IDBValidKey, StoredSound]} */ ([key, values[k]]),
    );
    for (const key of expiredKeys(entries, Date.now())) sounds.delete(key);
    const resume = this.storage.getItem(SESSION_KEY) ?? '';
    const view = JSON.parse(this.storage.getItem(VIEW_KEY) || 'null');
    return found ? { ...found, items, view, resume, isCopy } : null;
  }
}

/** Put a file into a file input, as if a user had chosen it.
 * @param {HTMLInputElement} input
 * @param {Blob} blob
 * @param {string} name */
export function chooseFile(input, blob, name) {
  const files = new DataTransfer();
  files.items.add(new File([blob], name.split(' · ')[0]));
  input.files = files.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}
