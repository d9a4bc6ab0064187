// The waveform of the version that plays, above the picture, over the same time range.

const BLOCK = 128; // samples per stored pair of extremes

/** @typedef {{low: Float32Array, high: Float32Array}} Extremes of blocks, over all channels */

/** @type {WeakMap<AudioBuffer, Extremes>} */
const known = new WeakMap();

/** Extremes of every block of samples.
 * @param {Pick<AudioBuffer, 'length' | 'numberOfChannels' | 'getChannelData'>} buffer
 * @returns {Extremes} */
export function extremesOf(buffer) {
  const count = Math.ceil(buffer.length / BLOCK);
  const low = new Float32Array(count);
  const high = new Float32Array(count);
  for (let c = 0; c < buffer.numberOfChannels; c++) {
    const samples = buffer.getChannelData(c);
    for (let k = 0, i = 0; k < count; k++) {
      const end = Math.min(samples.length, i + BLOCK);
      let [least, most] = [low[k], high[k]];
      for (; i < end; i++) {
        if (samples[i] < least) least = samples[i];
        if (samples[i] > most) most = samples[i];
      }
      [low[k], high[k]] = [least, most];
    }
  }
  return { low, high };
}

/** Lowest and highest value between two positions in samples.
 * @param {Extremes} extremes
 * @param {number} from
 * @param {number} to */
export function extremesBetween({ low, high }, from, to) {
  const start = Math.max(0, Math.floor(from / BLOCK));
  const end = Math.min(low.length, Math.max(start + 1, Math.ceil(to / BLOCK)));
  let [least, most] = [0, 0];
  for (let k = start; k < end; k++) {
    if (low[k] < least) least = low[k];
    if (high[k] > most) most = high[k];
  }
  return [least, most];
}

/** The strip. */
export class Waveform {
  /** @param {import('../types').Find} find
   * @param {import('./picture.js').Picture} picture
   * @param {(seconds: number) => void} seek */
  constructor(find, picture, seek) {
    this.canvas = find('wave-canvas');
    this.playhead = find('wave-playhead');
    this.picture = picture;
    this.drawnKey = '';
    /** @type {AudioBuffer | null} */
    this.drawn = null;
    const strip = find('wave');
    strip.addEventListener('pointerdown', (event) => {
      const { left } = strip.getBoundingClientRect();
      seek(picture.secondsAt(event.clientX - left + picture.left));
    });
  }

  /** Draw a sound over the visible time range, unless it is drawn already.
   * @param {AudioBuffer | undefined} buffer */
  draw(buffer) {
    const { canvas, picture } = this;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    const key = [...picture.t, width, height, picture.dark].join();
    if (!buffer || !width || (key === this.drawnKey && buffer === this.drawn)) return;
    this.drawnKey = key;
    this.drawn = buffer;
    Object.assign(canvas, { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.fillStyle = getComputedStyle(canvas).color;
    const extremes = known.get(buffer) ?? extremesOf(buffer);
    known.set(buffer, extremes);
    const perPixel = ((picture.t[1] - picture.t[0]) * buffer.sampleRate) / width;
    const start = picture.t[0] * buffer.sampleRate;
    const end = Math.min(width, (buffer.length - start) / perPixel);
    const half = height / 2;
    for (let x = 0; x < end; x++) {
      const from = start + x * perPixel;
      const [low, high] = extremesBetween(extremes, from, from + perPixel);
      const top = half * (1 - Math.min(high, 1));
      context.fillRect(x, top, 1, Math.max(ratio, half * (1 - Math.max(low, -1)) - top));
    }
  }

  /** @param {number} seconds */
  placePlayhead(seconds) {
    const x = this.picture.x(seconds) - this.picture.left;
    this.playhead.hidden = !(x >= -0.5 && x <= this.picture.width + 0.5);
    this.playhead.style.transform = 'translateX(' + x + 'px)';
  }
}
