// The player: all versions start at the same moment of one audio clock, and one of them is audible.
// Switching only changes gains: versions compare at one position without a gap. A version that
// comes later joins in at the position of the others.

import { createBuffer, difference } from './buffers.js';
import { matchingGain, peak, rms } from './levels.js';
import { insideOf, isNeutral, NEUTRAL, Shaper } from './shaping.js';
import { SoundCache } from './sound_cache.js';
import { encodeWav } from './synthesis.js';

/** @typedef {import('../types').Version} Version */
/** @typedef {import('../types').Range} Range */
/** @typedef {import('../types').Shape} Shape */
/** `sources` all play together; the first one is the version itself.
 * @typedef {{sources: AudioBufferSourceNode[], gain: GainNode, shaper: Shaper | null}} Voice */

const START_DELAY = 0.03; // seconds
const FADE = 0.004; // seconds
// A running audio clock takes a twentieth of a processor core, also in silence
const REST_AFTER = 1000; // milliseconds

/** Plays one of several versions of a sound. */
export class Player {
  /** @param {() => void} onChange called when a version, or whether it plays, has changed */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {GainNode | null} */
    this.master = null;
    /** @type {AnalyserNode | null} */
    this.meter = null;
    /** @type {Partial<Record<Version, AudioBuffer>>} */
    this.buffers = {};
    /** @type {Partial<Record<Version, string>>} */
    this.urls = {};
    /** @type {Partial<Record<Version, Voice>>} */
    this.voices = {};
    /** @type {Partial<Record<Version, number>>} */
    this.levels = {};
    /** @type {Partial<Record<Version, number>>} */
    this.peaks = {};
    /** @type {Version} */
    this.version = 'original';
    this.playing = false;
    /** Position in seconds when it last started or stopped. */
    this.offset = 0;
    this.startedAt = 0;
    /** @type {Range | null} */
    this.loopSpan = null;
    /** @type {Range} */
    this.playedRange = [0, 0];
    this.loops = false;
    /** @type {Range | null} */
    this.once = null;
    this.volume = 1;
    this.matched = false;
    /** Gains of single versions.
     * @type {Partial<Record<Version, number>>} */
    this.trims = {};
    /** How the fill is changed, and where it is. */
    this.shape = NEUTRAL;
    /** @type {Range[]} */
    this.fillSpans = [];
    /** The change without its joints, while a shape changes it.
     * @type {AudioBuffer | null} */
    this.inside = null;
    this.insidePeak = 0;
    this.cache = new SoundCache();
    this.loadRequest = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
  }

  audio() {
    if (this.context) return this.context;
    const context = new AudioContext();
    this.context = context;
    this.master = context.createGain();
    this.master.gain.value = this.masterGain();
    this.meter = context.createAnalyser();
    this.master.connect(this.meter).connect(context.destination);
    this.restSoon();
    return context;
  }

  /** Stop the audio clock, unless something plays by then. */
  restSoon() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      if (!this.playing) this.context?.suspend();
    }, REST_AFTER);
  }

  /** Fetch and decode a file.
   * @param {string} url */
  fetch(url) {
    return this.cache.fetch(url, this.audio(), Object.values(this.urls));
  }

  /**
   * Load versions; other loaded ones are removed. `change` is the difference of filled and masked.
   * Returns false, without any change, if a later call has replaced this one.
   * @param {Partial<Record<Version, string>>} urls
   */
  async load(urls) {
    const request = ++this.loadRequest;
    /** @type {Partial<Record<Version, AudioBuffer>>} */
    const decoded = {};
    for (const [name, url] of entriesOf(urls)) {
      if (this.urls[name] === url) continue;
      decoded[name] = await this.fetch(url);
      if (request !== this.loadRequest) return false;
    }
    for (const [name] of entriesOf(this.urls)) if (!urls[name]) this.removeBuffer(name);
    this.urls = { ...urls };
    if (decoded.filled || decoded.masked || !urls.filled) this.setShape(NEUTRAL, []);
    for (const [name, buffer] of entriesOf(decoded)) this.setBuffer(name, buffer);
    if (!this.buffers.filled || !this.buffers.masked) this.removeBuffer('change');
    else if (decoded.filled || decoded.masked)
      this.setBuffer('change', this.difference(this.buffers.filled, this.buffers.masked));
    if (!this.buffers[this.version]) this.choose('original');
    this.offset = Math.min(this.offset, this.duration());
    this.onChange();
    return true;
  }

  /** @param {Float32Array<ArrayBuffer>[]} channels
   * @param {number} rate */
  createBuffer(channels, rate) {
    return createBuffer(this.audio(), channels, rate);
  }

  /** A buffer at the rate of decoded files, so that the two can be subtracted.
   * @param {Float32Array<ArrayBuffer>[]} channels
   * @param {number} rate */
  async resample(channels, rate) {
    if (this.audio().sampleRate === rate) return this.createBuffer(channels, rate);
    return this.audio().decodeAudioData(encodeWav(channels, rate));
  }

  /** @param {AudioBuffer} a
   * @param {AudioBuffer} b */
  difference(a, b) {
    return this.createBuffer(difference(a, b), a.sampleRate);
  }

  /** Set the buffer of a version; if the sound plays, it continues at the current position.
   * @param {Version} name
   * @param {AudioBuffer} buffer */
  setBuffer(name, buffer) {
    const old = this.voices[name];
    this.buffers[name] = buffer;
    this.levels[name] = rms(buffer);
    this.peaks[name] = peak(buffer);
    this.setMasterGain();
    if (!this.playing) return;
    const at = this.audio().currentTime + START_DELAY;
    delete this.voices[name];
    const voice = this.createVoice(name, at, this.positionAt(at), 0);
    this.voices[name] = voice;
    voice.gain.gain.setTargetAtTime(this.gainOf(name), at, FADE);
    if (old) {
      old.gain.gain.setTargetAtTime(0, at, FADE);
      for (const source of old.sources) source.stop(at + 10 * FADE);
    }
  }

  /** @param {Version} name */
  removeBuffer(name) {
    if (!this.buffers[name]) return;
    for (const source of this.voices[name]?.sources ?? []) source.stop();
    for (const table of [this.buffers, this.voices, this.levels, this.peaks]) delete table[name];
    this.setMasterGain();
    this.onChange();
  }

  duration() {
    const buffer = this.buffers[this.version] || this.buffers.original;
    return buffer ? buffer.duration : 0;
  }

  /** The range that plays: that of the loop, or everything.
   * @returns {Range} */
  range() {
    const end = this.duration();
    const [from, to] = this.loopSpan || [0, end];
    return to - from > 0.02 ? [from, Math.min(to, end)] : [0, end];
  }

  position() {
    return this.playing ? this.positionAt(this.audio().currentTime) : this.offset;
  }

  /** Position at a time of the audio clock.
   * @param {number} time */
  positionAt(time) {
    const [from, to] = this.playedRange;
    const at = this.offset + Math.max(0, time - this.startedAt);
    if (at < to) return at;
    return this.loops ? from + ((at - from) % (to - from)) : to;
  }

  /** How often the loop has played since it started. */
  passes() {
    if (!this.playing || !this.loops) return 0;
    const [from, to] = this.playedRange;
    const time = this.audio().currentTime - this.startedAt;
    return Math.floor((this.offset - from + Math.max(0, time)) / (to - from));
  }

  ended() {
    return this.playing && !this.loops && this.position() >= this.playedRange[1] - 0.005;
  }

  /** Play from the current position, or a range `once`.
   * @param {Range | null} [once] */
  start(once = null) {
    const context = this.audio();
    context.resume();
    this.playedRange = once || this.range();
    const [from, to] = this.playedRange;
    if (once || this.offset >= to - 0.01 || this.offset < from) this.offset = from;
    this.loops = !once && !!this.loopSpan;
    this.once = once;
    this.startedAt = context.currentTime + START_DELAY;
    for (const [name] of entriesOf(this.buffers))
      this.voices[name] = this.createVoice(name, this.startedAt, this.offset, this.gainOf(name));
    this.playing = true;
    this.onChange();
  }

  /** @param {Version} name
   * @param {number} when time of the audio clock
   * @param {number} offset position in seconds
   * @param {number} level
   * @returns {Voice} */
  createVoice(name, when, offset, level) {
    const context = this.audio();
    const gain = context.createGain();
    const [from, to] = this.playedRange;
    /** @type {AudioBufferSourceNode[]} */
    const sources = [];
    /** @param {AudioBuffer | undefined} buffer
     * @param {AudioNode} target */
    const play = (buffer, target) => {
      if (!buffer) return;
      const source = context.createBufferSource();
      source.buffer = buffer;
      Object.assign(source, { loop: this.loops, loopStart: from, loopEnd: to });
      source.connect(target);
      if (this.once) source.start(when, offset, Math.max(0, to - offset));
      else source.start(when, offset);
      sources.push(source);
    };
    gain.gain.value = level;
    gain.connect(/** @type {GainNode} */ (this.master));
    const isShaped = this.inside && (name === 'filled' || name === 'change');
    const shaper = isShaped ? new Shaper(context, gain, this.shape) : null;
    play(this.buffers[name], shaper ? shaper.main : gain);
    if (shaper && this.inside) play(this.inside, shaper.inside);
    if (shaper && name === 'filled') play(this.buffers.original, shaper.dry);
    return { sources, gain, shaper };
  }

  /** Shape the fill, whose spans in seconds are given where another one was loaded.
   * @param {Shape} shape
   * @param {Range[]} [spans] */
  setShape(shape, spans) {
    this.shape = shape;
    if (spans) {
      this.fillSpans = spans;
      this.inside = null;
    }
    const { change } = this.buffers;
    if (!this.inside && change && !isNeutral(shape)) {
      this.inside = this.createBuffer(insideOf(change, this.fillSpans), change.sampleRate);
      this.insidePeak = peak(this.inside);
      for (const name of /** @type {const} */ (['filled', 'change'])) {
        const buffer = this.buffers[name];
        if (buffer) this.setBuffer(name, buffer);
      }
    }
    for (const [, { shaper }] of entriesOf(this.voices)) shaper?.set(shape);
    this.setMasterGain();
  }

  /** @param {Version} name */
  gainOf(name) {
    if (name !== this.version) return 0;
    const trim = this.trims[name] ?? 1;
    return this.matched && name === 'filled' ? trim * (this.matchingGain() ?? 1) : trim;
  }

  /** Gain that makes the fill, before its sliders, as loud as the original; null without one. */
  matchingGain() {
    const { original, filled } = this.levels;
    return filled === undefined ? null : matchingGain(original, filled);
  }

  /** Root mean square of a version as it plays, in a range of seconds.
   * @param {Version} name
   * @param {Range} range */
  levelOf(name, [from, to]) {
    const buffer = this.buffers[name];
    return buffer ? rms(buffer, from, to) * (this.trims[name] ?? 1) : 0;
  }

  stopVoices() {
    for (const [, { sources }] of entriesOf(this.voices))
      for (const source of sources) source.stop();
    this.voices = {};
    this.playing = false;
    this.restSoon();
  }

  pause() {
    this.offset = this.position();
    this.stopVoices();
    this.onChange();
  }

  rewind() {
    this.stopVoices();
    this.offset = this.range()[0];
    this.onChange();
  }

  toggle() {
    if (this.playing) this.pause();
    else if (this.buffers[this.version]) this.start();
  }

  restart() {
    if (!this.playing) return;
    this.offset = this.position();
    this.stopVoices();
    this.start();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const wasPlaying = this.playing;
    this.stopVoices();
    this.offset = Math.max(0, Math.min(this.duration(), seconds));
    if (wasPlaying) this.start();
    else this.onChange();
  }

  /** Loop a range; null plays everything once.
   * @param {Range | null} span */
  loop(span) {
    this.loopSpan = span;
    this.restart();
    this.onChange();
  }

  /** Make a version audible.
   * @param {Version} version */
  choose(version) {
    if (!this.buffers[version]) return;
    this.version = version;
    this.setGains();
    this.onChange();
  }

  setGains() {
    for (const [name, { gain }] of entriesOf(this.voices))
      gain.gain.setTargetAtTime(this.gainOf(name), this.audio().currentTime, FADE);
  }

  /** @param {number} volume */
  setVolume(volume) {
    this.volume = volume;
    this.setMasterGain();
  }

  setMasterGain() {
    this.master?.gain.setTargetAtTime(this.masterGain(), this.audio().currentTime, FADE);
  }

  /** Gain of all versions alike: the volume, less what keeps the loudest one below full scale. */
  masterGain() {
    return this.volume / Math.max(1, this.shapedPeak(), ...Object.values(this.peaks));
  }

  /** Estimated peak of the shaped fill: a tilt raises one side of 4 kHz by about two octaves. */
  shapedPeak() {
    const { level_db: level, tilt_db: tilt, width } = this.shape;
    const gain = width * 10 ** ((level + 2 * Math.abs(tilt)) / 20);
    return this.inside ? (this.peaks.filled ?? 0) + Math.max(0, gain - 1) * this.insidePeak : 0;
  }

  /** Play the filled version as loud as the original.
   * @param {boolean} matched */
  setMatched(matched) {
    this.matched = matched;
    this.setGains();
    this.onChange();
  }

  /** Root mean square of the current output. */
  level() {
    if (!this.meter) return 0;
    const samples = new Float32Array(this.meter.fftSize);
    this.meter.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, v) => sum + v * v, 0) / samples.length);
  }
}

/** The entries of a table of versions.
 * @template T
 * @param {Partial<Record<Version, T>>} table */
const entriesOf = (table) => /** @type {[Version, T][]} */ (Object.entries(table));
