// Level, brightness, width and share of a fill while it plays, as inpainting/shaping.py computes
// them.
//
// out = dry (1 − wet) + wet (filled + shaped − inside): `inside` is the fill without its joints,
// `shaped` the same with another level and tilt.

/** @typedef {import('../types').Shape} Shape */
/** @typedef {import('../types').Range} Range */

const SHELVES_HZ = [125, 500, 2000, 8000];
const SHELVES_BELOW_PIVOT = 3; // the tilt changes no level at 4 kHz
const FADE_SECONDS = 0.01;
const SMOOTHING = 0.01; // seconds in which a moved slider is followed

/** The fill as it is.
 * @type {Shape} */
export const NEUTRAL = { level_db: 0, tilt_db: 0, wet: 1, width: 1 };

/** Whether a shape leaves a fill as it is.
 * @param {Shape} shape */
export const isNeutral = ({ level_db: level, tilt_db: tilt, wet, width }) =>
  !level && !tilt && wet === 1 && width === 1;

/** Gain of a shape apart from its shelves. A width is the gain of a fill that is a side signal.
 * @param {Shape} shape */
export const gainOf = ({ level_db: level, tilt_db: tilt, width }) =>
  width * 10 ** ((level - 2 * SHELVES_BELOW_PIVOT * tilt) / 20);

/** Share of each sample that is shaped: 0 outside of the spans, 1 well inside, with ramps between.
 * @param {Range[]} spans seconds
 * @param {number} length
 * @param {number} rate */
export function innerGain(spans, length, rate) {
  const gain = new Float32Array(length);
  for (const [from, to] of spans) {
    const start = Math.max(0, Math.round(from * rate));
    const stop = Math.min(length, Math.round(to * rate));
    gain.fill(1, start, stop);
    const fade = Math.min(Math.round(FADE_SECONDS * rate), Math.floor((stop - start) / 4));
    for (let k = 0; k < fade; k++) {
      const share = (k + 1) / (fade + 1);
      if (start > 0) gain[start + k] = share;
      if (stop < length) gain[stop - 1 - k] = share;
    }
  }
  return gain;
}

/** Channels of a change without its joints.
 * @param {AudioBuffer} change filled minus masked
 * @param {Range[]} spans seconds
 * @returns {Float32Array<ArrayBuffer>[]} */
export function insideOf(change, spans) {
  const gain = innerGain(spans, change.length, change.sampleRate);
  return Array.from({ length: change.numberOfChannels }, (_, c) => {
    const out = change.getChannelData(c).slice();
    for (let i = 0; i < out.length; i++) out[i] *= gain[i];
    return out;
  });
}

/** The nodes between the sources of a shaped fill and its output. */
export class Shaper {
  /** @param {BaseAudioContext} context
   * @param {AudioNode} output
   * @param {Shape} shape */
  constructor(context, output, shape) {
    this.context = context;
    const gain = (/** @type {number} */ value) => new GainNode(context, { gain: value });
    /** Inputs of the graph. */
    this.dry = gain(1 - shape.wet);
    this.main = gain(shape.wet);
    this.inside = gain(1);
    this.shelves = SHELVES_HZ.filter((hertz) => hertz < context.sampleRate / 2).map(
      (frequency) =>
        new BiquadFilterNode(context, { type: 'highshelf', frequency, gain: 2 * shape.tilt_db }),
    );
    this.level = gain(gainOf(shape));
    const minus = gain(-1);
    let last = /** @type {AudioNode} */ (this.inside);
    for (const shelf of this.shelves) last = last.connect(shelf);
    last.connect(this.level).connect(this.main);
    this.inside.connect(minus).connect(this.main);
    this.main.connect(output);
    this.dry.connect(output);
  }

  /** Follow another shape.
   * @param {Shape} shape */
  set(shape) {
    const now = this.context.currentTime;
    const move = (/** @type {AudioParam} */ parameter, /** @type {number} */ value) =>
      parameter.setTargetAtTime(value, now, SMOOTHING);
    move(this.dry.gain, 1 - shape.wet);
    move(this.main.gain, shape.wet);
    move(this.level.gain, gainOf(shape));
    for (const shelf of this.shelves) move(shelf.gain, 2 * shape.tilt_db);
  }
}

/** A fill in its shape, rendered at once.
 * @param {{original: AudioBuffer, filled: AudioBuffer, change: AudioBuffer}} buffers
 * @param {Range[]} spans seconds
 * @param {Shape} shape
 * @returns {Promise<AudioBuffer>} */
export async function renderShaped({ original, filled, change }, spans, shape) {
  if (isNeutral(shape)) return filled;
  const { numberOfChannels, length, sampleRate } = filled;
  const context = new OfflineAudioContext(numberOfChannels, length, sampleRate);
  const shaper = new Shaper(context, context.destination, shape);
  const inside = context.createBuffer(change.numberOfChannels, change.length, sampleRate);
  insideOf(change, spans).forEach((samples, c) => inside.copyToChannel(samples, c));
  for (const [buffer, target] of /** @type {[AudioBuffer, AudioNode][]} */ ([
    [filled, shaper.main],
    [inside, shaper.inside],
    [original, shaper.dry],
  ])) {
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(target);
    source.start();
  }
  return context.startRendering();
}
