// What lies around the picture: the examples and their sentence, the folds, and the buttons that
// erase, fill in and stop. Gradio makes these elements, one after the other, so they are looked up
// when they are needed.

import * as format from '../util/format.js';

const INVITATION = 'Click to hear a sound with a part erased, then filled in.';
// Gradio brings one kind of component after the other, in any order: one of each
const PARTS = ['#fill', '#seconds', '#order input', '#features input', '#file button'];
const FOLDS = /** @type {const} */ (['advanced', 'more']);
const FOLDS_KEY = 'atomizer-folds';
const NEED_SOUND = '#erase, #fill, #continue, #play';
const NO_SOUND = 'Choose a sound first';
/** Titles of these buttons while there is a sound.
 * @type {WeakMap<HTMLElement, string>} */
const titles = new WeakMap();
const QUEUED_MS = 400; // in the queue, before a fill counts as one that waits
export const DEFAULT_FEATURES = ['velocity', 'sign'];

/** @param {string} selector
 * @returns {HTMLElement | null} */
const lookUp = (selector) => document.querySelector(selector);

/** Press a button of the page, if it is there and enabled; returns whether it is there.
 * @param {string} selector */
export function press(selector) {
  const button = lookUp(selector);
  button?.click();
  return !!button;
}

/** Show the page once all of its parts are there. */
export function showWhenComplete() {
  const observer = new MutationObserver(show);
  function show() {
    if (!PARTS.every(lookUp)) return;
    document.body.dataset.complete = 'true';
    observer.disconnect();
  }
  observer.observe(document.body, { childList: true, subtree: true });
  show();
}

// ---------- folds

/** Names of the folds that are open, from before.
 * @returns {string[]} */
function storedFolds() {
  try {
    return JSON.parse(localStorage.getItem(FOLDS_KEY) ?? '[]');
  } catch {
    return [];
  }
}

/** Open or close a fold; the browser remembers it.
 * @param {HTMLElement} root of the component
 * @param {string} name
 * @param {boolean} isOpen */
function setFold(root, name, isOpen) {
  for (const { dataset } of [document.body, root]) dataset[name] = String(isOpen);
  lookUp('[data-fold=' + name + ']')?.setAttribute('aria-expanded', String(isOpen));
}

/** @param {HTMLElement} root */
export function restoreFolds(root) {
  const open = storedFolds();
  for (const name of FOLDS) setFold(root, name, open.includes(name));
}

/** @param {HTMLElement} root
 * @param {string} name */
export function toggleFold(root, name) {
  setFold(root, name, root.dataset[name] !== 'true');
  const open = FOLDS.filter((fold) => root.dataset[fold] === 'true');
  localStorage.setItem(FOLDS_KEY, JSON.stringify(open));
}

// ---------- examples

/** Mark the example whose selection is shown, and show its sentence.
 * @param {string} example its id
 * @param {string} note
 * @param {boolean} isShown whether the selection is still that of the example */
export function showExample(example, note, isShown) {
  const current = isShown && example ? 'example-' + example : '';
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = document.querySelectorAll('#examples button');
  for (const button of buttons) button.setAttribute('aria-pressed', String(button.id === current));
  const line = lookUp('[data-listen]');
  if (line) line.textContent = isShown && note ? note : INVITATION;
}

/** Say that an example is being loaded, until the next message: that takes seconds on a busy
 * server, and on a phone the status line is out of sight.
 * @param {Element} button of the example */
export function announceExample(button) {
  const line = lookUp('[data-listen]');
  if (line) line.textContent = 'Loading ' + button.textContent?.trim() + ' …';
}

// ---------- fill in, stop

/** How many fills come before one that waits; 0 where none waits.
 * @param {string} queue Gradio's text about the queue: "queue: 1/1" while another fill runs */
export const aheadIn = (queue) => Number(/queue:\s*(\d+)/.exec(queue)?.[1] ?? 0);

/** What the button says while a fill waits or runs: "40 %", "waiting, 2 ahead".
 * @param {{done: number, total: number} | null} live
 * @param {number} ahead fills before one that waits */
export function progressText(live, ahead) {
  if (live && live.total) return Math.floor((100 * live.done) / live.total) + ' %';
  return ahead ? 'waiting, ' + ahead + ' ahead' : '…';
}

/** Show the progress on the button, whether there is anything to fill in, and how long it takes.
 * @param {object} state
 * @param {boolean} state.busy whether a fill or a pursuit runs, which Stop ends
 * @param {boolean} state.pursues whether it is a pursuit
 * @param {{done: number, total: number} | null} state.live
 * @param {boolean} state.isQueued whether one waits, or is being prepared
 * @param {number} state.ahead fills before one that waits
 * @param {boolean} state.pending whether something is selected that was not filled in
 * @param {string} state.expected how long it will take, or empty */
export function showFillButton(state) {
  const { busy, pursues, live, isQueued, ahead, pending, expected } = state;
  const { body } = document;
  const isFilling = (busy && !pursues) || isQueued;
  body.dataset.busy = String(busy || isQueued);
  body.dataset.filling = String(isFilling);
  body.dataset.pending = String(pending);
  const button = lookUp('#fill');
  if (!button) return;
  button.style.setProperty('--done', live?.total ? (100 * live.done) / live.total + '%' : '0%');
  delete button.dataset.expected;
  if (isFilling) button.dataset.progress = progressText(live, ahead);
  else delete button.dataset.progress;
  if (!isFilling && expected) button.dataset.expected = expected;
}

/** Say why Widen or Brighten is disabled, which Gradio does.
 * @param {import('../types').Scene} scene of the sound */
export function explainAdditions({ channels, sound_rate: soundRate, rate }) {
  const kilohertz = (/** @type {number} */ hertz) => +(hertz / 1000).toFixed(2) + ' kHz';
  const widen =
    channels > 1
      ? 'Only mono sounds can be widened: this one has ' + channels + ' channels'
      : 'Add a second channel: mono to stereo';
  const brighten =
    soundRate >= rate
      ? 'Only sample rates below ' +
        kilohertz(rate) +
        ' can be brightened: this sound has ' +
        kilohertz(soundRate) +
        '. Where its highs were cut off, add the preset “above” and fill them in'
      : 'Add the highs above ' + kilohertz(soundRate / 2);
  for (const [selector, title] of Object.entries({ '#add-channel': widen, '#bandwidth': brighten }))
    Object.assign(lookUp(selector) ?? {}, { title });
}

/** Say how long Extend, Widen and Brighten take, where that is worth a word.
 * @param {Record<string, import('../types').Range>} additions least and most seconds by name
 * @param {string} base what they start from, where that may surprise; else empty */
export function showAdditions(additions, base) {
  const line = lookUp('[data-additions]');
  const words = Object.entries(additions)
    .map(([name, range]) => [name[0].toUpperCase() + name.slice(1), format.about(range)])
    .flatMap(([name, time]) => (time ? [name + ' takes ' + time + '.'] : []));
  if (base) words.push('All start from ' + base + '.');
  if (line) line.textContent = words.join(' ');
}

/** Show on the button at the edge of a phone's screen whether it plays.
 * @param {boolean} playing */
export function showPlaying(playing) {
  const button = lookUp('#play');
  if (button) button.textContent = playing ? 'Pause' : 'Play';
}

/** Follow what Gradio writes from the press of a fill to its first message: the place in the queue,
 * and that it is processed. A fill that need not wait is in the queue for a moment, too.
 * @param {(place: {isQueued: boolean, ahead: number}) => void} changed `ahead` counts the fills
 *   before one that waits */
export function watchQueue(changed) {
  const queue = lookUp('#queue');
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isLong = false;
  const read = () => {
    const text = lookUp('#queue .progress-text')?.textContent?.trim() ?? '';
    if (!text) {
      clearTimeout(timer);
      timer = undefined;
      changed({ isQueued: false, ahead: 0 });
    } else if (timer === undefined) {
      timer = setTimeout(() => {
        isLong = true;
        read();
      }, QUEUED_MS);
      isLong = false;
      changed({ isQueued: true, ahead: 0 });
    } else if (isLong) changed({ isQueued: true, ahead: aheadIn(text) });
  };
  if (queue)
    new MutationObserver(read).observe(queue, {
      childList: true,
      subtree: true,
      characterData: true,
    });
}

/** Disable what needs a sound until there is one, and say why.
 * @param {boolean} hasSound */
export function enableFills(hasSound) {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = document.querySelectorAll(NEED_SOUND);
  for (const button of buttons) {
    if (!titles.has(button)) titles.set(button, button.title);
    const title = hasSound ? titles.get(button) : NO_SOUND;
    Object.assign(button, { disabled: !hasSound, title });
  }
}

/** Show whether there is anything to erase or fill in. The buttons can be pressed all the same:
 * the status line then says what to do.
 * @param {boolean} isSelected */
export function showSelected(isSelected) {
  document.body.dataset.selected = String(isSelected);
  for (const button of [lookUp('#erase'), lookUp('#fill')])
    button?.setAttribute('aria-disabled', String(!isSelected));
}

// ---------- erased features

/** Say on the fold which features are erased if they are not the default ones.
 * @param {string[]} names */
export function showErased(names) {
  const label = lookUp('[data-unknown]');
  if (!label) return;
  const isDefault = names.length === 2 && DEFAULT_FEATURES.every((name) => names.includes(name));
  label.textContent = isDefault ? '' : names.length ? names.join(', ') : 'nothing erased';
}
