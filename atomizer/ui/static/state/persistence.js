// What outlives the page of one tab: its sound and its selection, so that a reload, as Gradio does it after the server was away, loses neither.
//
// The sound is kept in the browser's database under a name of the tab, the selection in the tab's own storage; both go when the tab is gone for a day.

import { fetched } from '../util/files.js';

const DATABASE = 'atomizer',
  STORE = 'sounds',
  DAY = 24 * 3600 * 1000;

/** Whether a scene that Python shows is the sound that was kept. */
export const isSame = (kept, scene) =>
  kept.name === scene.name &&
  kept.duration === scene.duration &&
  kept.channels === scene.channels &&
  kept.total === scene.total;

/** What of the database is out of date: entries [key, {time}] that are older than a day. */
export const stale = (entries, now) =>
  entries.filter(([, { time }]) => !(now - time < DAY)).map(([key]) => key);

function promised(request) {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

async function store(mode) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return (await promised(opening)).transaction(STORE, mode).objectStore(STORE);
}

export class Keeper {
  constructor(storage = sessionStorage) {
    this.storage = storage;
    this.tab =
      storage.getItem('atomizer-tab') || crypto.getRandomValues(new Uint32Array(3)).join('-');
    storage.setItem('atomizer-tab', this.tab);
    this.chosen = null; // the file that was chosen last, exactly as it was
    this.job = 0;
    this.recalled = null;
  }

  /** Remember the files that are given to an element, in whichever way. */
  follow(element) {
    const take = (files) => {
      if (files && files.length) [this.chosen] = files;
    };
    element.addEventListener('change', (event) => take(event.target.files), true);
    element.addEventListener(
      'drop',
      (event) => take(event.dataTransfer && event.dataTransfer.files),
      true,
    );
  }

  /** Keep the sound of a scene: the chosen file where it is that, or what the player has of it. Of several calls the last one counts. */
  async keep({ name, duration, channels, total }, url) {
    const job = ++this.job,
      blob =
        this.chosen && this.chosen.name === name ? this.chosen : await (await fetched(url)).blob();
    if (job !== this.job) return;
    await promised(
      (await store('readwrite')).put(
        { name, duration, channels, total, blob, time: Date.now() },
        this.tab,
      ),
    );
  }

  select(items) {
    this.storage.setItem('atomizer-selection', JSON.stringify(items));
  }

  /** After a reload: {name, …, blob, items} of before; null where there is nothing, or this is no reload. */
  async recall() {
    const [navigation] = performance.getEntriesByType('navigation');
    if (!navigation || navigation.type !== 'reload') return null;
    const items = JSON.parse(this.storage.getItem('atomizer-selection') || '[]');
    const sounds = await store('readwrite'),
      found = await promised(sounds.get(this.tab));
    const keys = await promised(sounds.getAllKeys()),
      values = await promised(sounds.getAll());
    stale(
      keys.map((key, k) => [key, values[k]]),
      Date.now(),
    ).forEach((key) => sounds.delete(key));
    return found ? { ...found, items } : null;
  }
}

/** Give a file to an input as a person would. */
export function choose(input, blob, name) {
  const files = new DataTransfer();
  files.items.add(new File([blob], name.split(' · ')[0]));
  input.files = files.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}
