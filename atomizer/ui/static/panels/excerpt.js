// The excerpt of a long file: an overview with a window that is dragged, or moved by keys.

import * as format from '../util/format.js';

/** @typedef {import('../types').Excerpt} Excerpt */
/** @typedef {import('../types').ExcerptFile} ExcerptFile */
/** @typedef {{duration: number, longest: number}} Limits */

export const MIN_SECONDS = 0.5; // of an excerpt

/** @param {number} value
 * @param {number} low
 * @param {number} high */
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** An excerpt of the same length at another start, inside the file.
 * @param {Excerpt} excerpt
 * @param {number} start
 * @param {Limits} limits
 * @returns {Excerpt} */
export const moveExcerpt = ({ seconds }, start, { duration }) => ({
  start: clamp(start, 0, Math.max(0, duration - seconds)),
  seconds,
});

/** An excerpt with one edge moved to a time, within the shortest and longest length.
 * @param {Excerpt} excerpt
 * @param {string} edge "start" or "end"
 * @param {number} to
 * @param {Limits} limits
 * @returns {Excerpt} */
export function resizeExcerpt({ start, seconds }, edge, to, { duration, longest }) {
  const end = start + seconds;
  const least = Math.min(MIN_SECONDS, duration);
  if (edge === 'end')
    return { start, seconds: clamp(to - start, least, Math.min(longest, duration - start)) };
  const from = clamp(to, Math.max(0, end - longest), end - least);
  return { start: from, seconds: end - from };
}

/** An excerpt after a key on the "start", "end" or "window"; undefined for other keys.
 * @param {Excerpt} excerpt
 * @param {string} part
 * @param {{key: string, shiftKey?: boolean}} event
 * @param {Limits} limits */
export function stepExcerpt(excerpt, part, { key, shiftKey }, limits) {
  const { start, seconds } = excerpt;
  const step = shiftKey ? 10 : 1;
  const at = part === 'end' ? start + seconds : start;
  /** @type {Record<string, number>} */
  const targets = {
    ArrowLeft: at - step,
    ArrowDown: at - step,
    ArrowRight: at + step,
    ArrowUp: at + step,
    PageDown: at - seconds,
    PageUp: at + seconds,
    Home: 0,
    End: limits.duration,
  };
  const to = targets[key];
  if (to === undefined) return undefined;
  return part === 'window'
    ? moveExcerpt(excerpt, to, limits)
    : resizeExcerpt(excerpt, part, to, limits);
}

/** SVG path of a waveform, as wide as there are peaks, from -1 to 1.
 * @param {Uint8Array} peaks */
export function waveformPath(peaks) {
  const heights = Array.from(peaks, (peak) => Math.max(peak / 255, 0.01));
  const top = heights.map((height, k) => k + ',' + -height);
  const bottom = heights.map((height, k) => k + ',' + height).reverse();
  return 'M' + [...top, ...bottom].join('L') + 'Z';
}

/** The panel. */
export class ExcerptPicker {
  /** @param {import('../types').Find} find
   * @param {object} host
   * @param {(file: import('../types').FileLink) => Promise<ArrayBuffer>} host.fetchBytes
   * @param {(excerpt: Excerpt) => void} host.confirmed */
  constructor(find, { fetchBytes, confirmed }) {
    this.find = find;
    this.fetchBytes = fetchBytes;
    this.confirmed = confirmed;
    /** @type {ExcerptFile | null} */
    this.file = null;
    /** @type {Excerpt | null} */
    this.chosen = null;
    /** @type {string | null} */
    this.url = null;
    /** @type {((time: number) => void) | null} what a move of the pointer does */
    this.drag = null;
    const strip = find('excerpt-strip');
    strip.addEventListener('pointerdown', (event) => this.grab(event));
    strip.addEventListener('pointermove', (event) => this.drag?.(this.timeAt(event)));
    for (const name of ['pointerup', 'pointercancel'])
      strip.addEventListener(name, () => {
        this.drag = null;
      });
    strip.addEventListener('keydown', (event) => this.handleKey(event));
    find('excerpt-take').addEventListener('click', () => this.confirm());
  }

  /** Show the excerpt that Python works on; null hides the panel.
   * @param {ExcerptFile | null} file */
  async show(file) {
    const { find } = this;
    const url = file && file.peaks.url;
    if (this.url === url) return;
    find('excerpt').hidden = true;
    this.file = file;
    this.url = url;
    if (!file) return;
    const peaks = new Uint8Array(await this.fetchBytes(file.peaks));
    const waveform = find('excerpt-outline');
    waveform.setAttribute('viewBox', '0 -1 ' + Math.max(1, peaks.length - 1) + ' 2');
    waveform.querySelector('path')?.setAttribute('d', waveformPath(peaks));
    this.choose({ start: file.start, seconds: file.seconds });
    find('excerpt').hidden = false;
  }

  /** @param {PointerEvent} event */
  timeAt(event) {
    const box = this.find('excerpt-strip').getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * (this.file?.duration ?? 0);
  }

  /** @param {PointerEvent} event */
  grab(event) {
    const { file, chosen } = this;
    if (event.button || !file || !chosen) return;
    const { part } = /** @type {HTMLElement} */ (event.target).dataset;
    const at = this.timeAt(event);
    event.preventDefault();
    this.find('excerpt-strip').setPointerCapture(event.pointerId);
    this.find('excerpt-' + (part || 'window')).focus();
    if (part === 'start' || part === 'end')
      this.drag = (to) => this.choose(resizeExcerpt(this.chosen ?? chosen, part, to, file));
    else {
      // a press outside of the window moves the window there
      const from = part ? chosen.start : at - chosen.seconds / 2;
      this.drag = (to) => this.choose(moveExcerpt(chosen, from + to - at, file));
      this.drag(at);
    }
  }

  /** @param {KeyboardEvent} event */
  handleKey(event) {
    const { part } = /** @type {HTMLElement} */ (event.target).dataset;
    if (!part || !this.chosen || !this.file) return;
    const next = stepExcerpt(this.chosen, part, event, this.file);
    if (next) this.choose(next);
    else if (event.key === 'Enter') this.confirm();
    else return;
    event.preventDefault();
    event.stopPropagation(); // these keys also seek and play
  }

  get isChanged() {
    const { chosen, file } = this;
    if (!chosen || !file) return false;
    return Math.abs(chosen.start - file.start) + Math.abs(chosen.seconds - file.seconds) > 0.01;
  }

  confirm() {
    if (this.chosen && this.isChanged) this.confirmed(this.chosen);
  }

  /** @param {Excerpt} excerpt */
  choose(excerpt) {
    const { find, file } = this;
    if (!file) return;
    const { start, seconds } = excerpt;
    const end = start + seconds;
    const share = (/** @type {number} */ time) => (100 * time) / file.duration + '%';
    const text = format.clock(start) + ' to ' + format.clock(end);
    this.chosen = excerpt;
    Object.assign(find('excerpt-window').style, { left: share(start), width: share(seconds) });
    find('excerpt-start').style.left = share(start);
    find('excerpt-end').style.left = share(end);
    this.setSlider('window', start, 0, file.duration - seconds, text);
    this.setSlider('start', start, Math.max(0, end - file.longest), end);
    this.setSlider('end', end, start, Math.min(file.duration, start + file.longest));
    find('excerpt-words').textContent =
      text +
      ' of ' +
      format.clock(file.duration) +
      ', up to ' +
      format.clock(file.longest) +
      ' at a time';
    find('excerpt-take').disabled = !this.isChanged;
  }

  /** @param {string} part
   * @param {number} now
   * @param {number} min
   * @param {number} max
   * @param {string} [text] */
  setSlider(part, now, min, max, text = format.clock(now)) {
    const slider = this.find('excerpt-' + part);
    for (const [name, value] of Object.entries({ min, max, now }))
      slider.setAttribute('aria-value' + name, value.toFixed(1));
    slider.setAttribute('aria-valuetext', text);
  }
}
