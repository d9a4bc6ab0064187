// The excerpt of a long file: its outline, and a window in it that is dragged, or moved by keys, and taken.

import * as format from '../util/format.js';

export const SHORTEST = 0.5; // seconds that can still be aimed at

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** An excerpt {start, seconds} that starts elsewhere, as long as before, inside a file of `duration`. */
export const moved = ({ seconds }, start, { duration }) => ({
  start: clamp(start, 0, Math.max(0, duration - seconds)),
  seconds,
});

/** An excerpt whose "start" or "end" is moved to a time; it keeps the other edge, and neither vanishes nor grows beyond `longest`. */
export function resized({ start, seconds }, edge, to, { duration, longest }) {
  const end = start + seconds,
    least = Math.min(SHORTEST, duration);
  if (edge === 'end')
    return { start, seconds: clamp(to - start, least, Math.min(longest, duration - start)) };
  const from = clamp(to, Math.max(0, end - longest), end - least);
  return { start: from, seconds: end - from };
}

/** What a key does to the "start", the "end" or the "window" of an excerpt; undefined for keys that do nothing. */
export function stepped(excerpt, part, { key, shiftKey }, file) {
  const step = shiftKey ? 10 : 1,
    { start, seconds } = excerpt,
    at = part === 'end' ? start + seconds : start;
  const to = {
    ArrowLeft: at - step,
    ArrowDown: at - step,
    ArrowRight: at + step,
    ArrowUp: at + step,
    PageDown: at - seconds,
    PageUp: at + seconds,
    Home: 0,
    End: file.duration,
  }[key];
  if (to === undefined) return undefined;
  return part === 'window' ? moved(excerpt, to, file) : resized(excerpt, part, to, file);
}

/** An SVG path of peaks (bytes), as wide as there are peaks, from -1 to 1. */
export function outline(peaks) {
  const top = Array.from(peaks, (peak, k) => k + ',' + -Math.max(peak / 255, 0.01)),
    low = Array.from(peaks, (peak, k) => k + ',' + Math.max(peak / 255, 0.01)).reverse();
  return 'M' + [...top, ...low].join('L') + 'Z';
}

export class ExcerptPicker {
  /** files(file) fetches; taken(excerpt) is called with what was chosen. */
  constructor(find, { files, taken }) {
    Object.assign(this, { find, files, taken, file: null, chosen: null, url: null });
    const strip = find('excerpt-strip');
    strip.addEventListener('pointerdown', (event) => this.grab(event));
    strip.addEventListener(
      'pointermove',
      (event) => this.drag && this.choose(this.drag(this.time(event))),
    );
    for (const name of ['pointerup', 'pointercancel'])
      strip.addEventListener(name, () => {
        this.drag = null;
      });
    strip.addEventListener('keydown', (event) => this.key(event));
    find('excerpt-take').addEventListener('click', () => this.take());
  }

  /** Show the excerpt that Python works on; null hides everything. */
  async show(file) {
    const { find } = this;
    if (this.url === (file && file.peaks.url)) return;
    find('excerpt').hidden = true;
    Object.assign(this, { file, url: file && file.peaks.url });
    if (!file) return;
    const peaks = new Uint8Array(await this.files(file.peaks)),
      drawing = find('excerpt-outline');
    drawing.setAttribute('viewBox', '0 -1 ' + Math.max(1, peaks.length - 1) + ' 2');
    drawing.querySelector('path').setAttribute('d', outline(peaks));
    this.choose({ start: file.start, seconds: file.seconds });
    find('excerpt').hidden = false;
  }

  time(event) {
    const box = this.find('excerpt-strip').getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * this.file.duration;
  }

  grab(event) {
    const part = event.target.dataset.part,
      at = this.time(event),
      { start, seconds } = this.chosen;
    if (event.button) return;
    event.preventDefault();
    this.find('excerpt-strip').setPointerCapture(event.pointerId);
    this.find('excerpt-' + (part || 'window')).focus();
    if (part === 'start' || part === 'end')
      this.drag = (to) => resized(this.chosen, part, to, this.file);
    else {
      const from = part ? start : at - seconds / 2; // a press beside the window brings it there
      this.drag = (to) => moved(this.chosen, from + to - at, this.file);
      this.choose(this.drag(at));
    }
  }

  key(event) {
    const { part } = event.target.dataset,
      next = part && stepped(this.chosen, part, event, this.file);
    if (next) this.choose(next);
    else if (part && event.key === 'Enter') this.take();
    else return;
    event.preventDefault();
    event.stopPropagation(); // these keys also seek and play
  }

  get changed() {
    return (
      Math.abs(this.chosen.start - this.file.start) +
        Math.abs(this.chosen.seconds - this.file.seconds) >
      0.01
    );
  }

  take() {
    if (this.changed) this.taken(this.chosen);
  }

  choose(excerpt) {
    const { find, file } = this,
      { start, seconds } = excerpt,
      end = start + seconds,
      share = (time) => (100 * time) / file.duration + '%';
    const words = format.clock(start) + ' to ' + format.clock(end);
    this.chosen = excerpt;
    Object.assign(find('excerpt-window').style, { left: share(start), width: share(seconds) });
    find('excerpt-start').style.left = share(start);
    find('excerpt-end').style.left = share(end);
    for (const [part, now, low, high] of [
      ['window', start, 0, file.duration - seconds],
      ['start', start, Math.max(0, end - file.longest), end],
      ['end', end, start, Math.min(file.duration, start + file.longest)],
    ]) {
      const slider = find('excerpt-' + part);
      for (const [name, value] of [
        ['min', low],
        ['max', high],
        ['now', now],
      ])
        slider.setAttribute('aria-value' + name, value.toFixed(1));
      slider.setAttribute('aria-valuetext', part === 'window' ? words : format.clock(now));
    }
    find('excerpt-words').textContent =
      words +
      ' of ' +
      format.clock(file.duration) +
      ', up to ' +
      format.seconds(file.longest) +
      ' at a time';
    find('excerpt-take').disabled = !this.changed;
  }
}
