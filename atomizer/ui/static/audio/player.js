// The player: every version of the sound starts at the same moment of one audio clock, and only one of them is let through.
// Switching is a change of gain, so that versions compare at one position without a gap; one that comes later joins in where the others are.

import { FILLED } from '../plot/atoms.js';
import { fetched } from '../util/files.js';
import { wavOf } from './synthesis.js';

const START_DELAY = 0.03,
  FADE = 0.004,
  LEAD = 1,
  MATCH = 4; // level matching raises or lowers by at most 12 dB

/** Root mean square of a buffer's channels between two times. */
export function rms(buffer, from = 0, to = Infinity) {
  let sum = 0,
    count = 0;
  for (let c = 0; c < buffer.numberOfChannels; c++) {
    const samples = buffer.getChannelData(c),
      end = Math.min(samples.length, Math.ceil(to * buffer.sampleRate));
    for (let i = Math.max(0, Math.floor(from * buffer.sampleRate)); i < end; i++) {
      sum += samples[i] * samples[i];
      count++;
    }
  }
  return Math.sqrt(sum / Math.max(count, 1));
}

/** Gain that brings a version to the level of the original; 1 where either is silent. */
export const matchingGain = (original, version) =>
  original > 1e-5 && version > 1e-5 ? Math.min(MATCH, Math.max(1 / MATCH, original / version)) : 1;

/** Seconds at which to start so that a change is heard: a moment before the first of its filled atoms. */
export function cueOf(atoms, secondsPerFrame) {
  let first = Infinity;
  for (let i = 0; i < atoms.count; i++)
    if (atoms.state[i] === FILLED) first = Math.min(first, atoms.frame[i]);
  return first < Infinity ? Math.max(0, first * secondsPerFrame - LEAD) : 0;
}

export class Player {
  /** onChange is called when what can be played, or whether it plays, has changed. */
  constructor(onChange) {
    Object.assign(this, {
      onChange,
      context: null,
      buffers: {},
      urls: {},
      voices: {},
      levels: {},
      version: 'original',
      playing: false,
      offset: 0,
      loopSpan: null,
      volume: 1,
      matched: false,
      cache: new Map(),
      job: 0,
    });
  }

  audio() {
    if (!this.context) {
      this.context = new AudioContext();
      this.master = this.context.createGain();
      this.master.gain.value = this.volume;
      this.meter = this.context.createAnalyser();
      this.master.connect(this.meter).connect(this.context.destination);
    }
    return this.context;
  }

  /** Fetch and decode a file; the last few are kept, so that going back to a variation is immediate. */
  async fetch(url) {
    if (!this.cache.has(url)) {
      const bytes = await (await fetched(url)).arrayBuffer();
      this.cache.set(url, await this.audio().decodeAudioData(bytes));
      const size = (buffer) => buffer.length * buffer.numberOfChannels;
      let total = [...this.cache.values()].reduce((sum, buffer) => sum + size(buffer), 0);
      for (const [old, buffer] of this.cache) {
        if (total < 60e6 || old === url || Object.values(this.urls).includes(old)) continue;
        this.cache.delete(old);
        total -= size(buffer);
      }
    }
    return this.cache.get(url);
  }

  /**
   * Load {name: url}; versions of files that are not among them are forgotten, and `change` follows from filled and masked.
   * False, and nothing has changed, where a later call has overtaken this one.
   */
  async load(urls) {
    const job = ++this.job,
      decoded = {};
    for (const [name, url] of Object.entries(urls)) {
      if (this.urls[name] === url) continue;
      decoded[name] = await this.fetch(url);
      if (job !== this.job) return false;
    }
    for (const name of Object.keys(this.urls)) if (!urls[name]) this.drop(name);
    this.urls = { ...urls };
    for (const [name, buffer] of Object.entries(decoded)) this.put(name, buffer);
    if (!this.buffers.filled || !this.buffers.masked) this.drop('change');
    else if (decoded.filled || decoded.masked)
      this.put('change', this.difference(this.buffers.filled, this.buffers.masked));
    if (!this.buffers[this.version]) this.choose('original');
    this.offset = Math.min(this.offset, this.duration());
    this.onChange();
    return true;
  }

  /** A buffer of channels of samples. */
  buffer(channels, rate) {
    const buffer = this.audio().createBuffer(
      channels.length,
      Math.max(1, channels[0].length),
      rate,
    );
    channels.forEach((samples, c) => buffer.copyToChannel(samples, c));
    return buffer;
  }

  /** As `buffer`, at the rate of what was decoded, so that the two can be subtracted. */
  async resampled(channels, rate) {
    if (this.audio().sampleRate === rate) return this.buffer(channels, rate);
    return this.audio().decodeAudioData(wavOf(channels, rate));
  }

  difference(a, b) {
    const length = Math.min(a.length, b.length);
    return this.buffer(
      Array.from({ length: a.numberOfChannels }, (_, c) => {
        const x = a.getChannelData(c),
          y = b.getChannelData(Math.min(c, b.numberOfChannels - 1));
        return Float32Array.from({ length }, (_, i) => x[i] - y[i]);
      }),
      a.sampleRate,
    );
  }

  /** Make a buffer a version; while the sound plays, it takes over where the one before is. */
  put(name, buffer) {
    const old = this.voices[name];
    this.buffers[name] = buffer;
    this.levels[name] = rms(buffer);
    if (!this.playing) return;
    const at = this.context.currentTime + START_DELAY;
    delete this.voices[name];
    const voice = (this.voices[name] = this.voice(name, buffer, at, this.positionAt(at), 0));
    voice.gain.gain.setTargetAtTime(this.gainOf(name), at, FADE);
    if (old) {
      old.gain.gain.setTargetAtTime(0, at, FADE);
      old.source.stop(at + 10 * FADE);
    }
  }

  drop(name) {
    if (this.voices[name]) this.voices[name].source.stop();
    for (const table of [this.buffers, this.voices, this.levels]) delete table[name];
  }

  duration() {
    const buffer = this.buffers[this.version] || this.buffers.original;
    return buffer ? buffer.duration : 0;
  }

  range() {
    const end = this.duration(),
      [from, to] = this.loopSpan || [0, end];
    return to - from > 0.02 ? [from, Math.min(to, end)] : [0, end];
  }

  position() {
    return this.playing ? this.positionAt(this.context.currentTime) : this.offset;
  }

  /** Where the sound is at a time of the audio clock. */
  positionAt(time) {
    const [from, to] = this.playedRange,
      at = this.offset + Math.max(0, time - this.startedAt);
    if (at < to) return at;
    return this.loops ? from + ((at - from) % (to - from)) : to;
  }

  ended() {
    return this.playing && !this.loops && this.position() >= this.playedRange[1] - 0.005;
  }

  /** Play from where it stands, or only `once` a span of time. */
  start(once = null) {
    const context = this.audio();
    context.resume();
    const [from, to] = (this.playedRange = once || this.range());
    if (once || this.offset >= to - 0.01 || this.offset < from) this.offset = from;
    this.loops = !once && !!this.loopSpan;
    this.once = once;
    this.startedAt = context.currentTime + START_DELAY;
    for (const [name, buffer] of Object.entries(this.buffers))
      this.voices[name] = this.voice(name, buffer, this.startedAt, this.offset, this.gainOf(name));
    this.playing = true;
    this.onChange();
  }

  voice(name, buffer, when, offset, level) {
    const source = this.context.createBufferSource(),
      gain = this.context.createGain(),
      [from, to] = this.playedRange;
    source.buffer = buffer;
    Object.assign(source, { loop: this.loops, loopStart: from, loopEnd: to });
    gain.gain.value = level;
    source.connect(gain).connect(this.master);
    if (this.once) source.start(when, offset, Math.max(0, to - offset));
    else source.start(when, offset);
    return { source, gain };
  }

  gainOf(name) {
    if (name !== this.version) return 0;
    return this.matched && name === 'filled'
      ? matchingGain(this.levels.original, this.levels.filled)
      : 1;
  }

  silence() {
    for (const { source } of Object.values(this.voices)) source.stop();
    this.voices = {};
    this.playing = false;
  }

  pause() {
    this.offset = this.position();
    this.silence();
    this.onChange();
  }

  rewind() {
    this.silence();
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
    this.silence();
    this.start();
  }

  seek(seconds) {
    const was = this.playing;
    this.silence();
    this.offset = Math.max(0, Math.min(this.duration(), seconds));
    if (was) this.start();
    else this.onChange();
  }

  loop(span) {
    this.loopSpan = span;
    this.restart();
    this.onChange();
  }

  choose(version) {
    if (!this.buffers[version]) return;
    this.version = version;
    this.setGains();
    this.onChange();
  }

  setGains() {
    for (const [name, { gain }] of Object.entries(this.voices))
      gain.gain.setTargetAtTime(this.gainOf(name), this.context.currentTime, FADE);
  }

  setVolume(volume) {
    this.volume = volume;
    if (this.context) this.master.gain.setTargetAtTime(volume, this.context.currentTime, FADE);
  }

  setMatched(matched) {
    this.matched = matched;
    this.setGains();
    this.onChange();
  }

  /** Root mean square of what is heard right now. */
  level() {
    if (!this.context) return 0;
    const samples = new Float32Array(this.meter.fftSize);
    this.meter.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, v) => sum + v * v, 0) / samples.length);
  }
}
