// The player: every version of the sound starts at the same moment of one audio clock, and only one of them is let through.
// Switching is a change of gain, so that versions compare at one position without a gap.

const START_DELAY = 0.03, FADE = 0.004;

class Player {
  /** onChange is called when what can be played, or whether it plays, has changed. */
  constructor(onChange) {
    this.onChange = onChange;
    this.context = null;
    this.buffers = {};
    this.urls = {};
    this.voices = {};
    this.version = 'original';
    this.playing = false;
    this.offset = 0;
    this.loopSpan = null;
  }

  audio() {
    if (!this.context) {
      this.context = new AudioContext();
      this.meter = this.context.createAnalyser();
      this.meter.connect(this.context.destination);
    }
    return this.context;
  }

  /** Load {name: file}; versions that are not among them are forgotten. */
  async load(sounds) {
    for (const name of Object.keys(this.buffers)) {
      if (!sounds[name]) { delete this.buffers[name]; delete this.urls[name]; }
    }
    let changed = false;
    for (const [name, file] of Object.entries(sounds)) {
      if (this.urls[name] === file.url) continue;
      const bytes = await (await fetch(file.url)).arrayBuffer();
      this.buffers[name] = await this.audio().decodeAudioData(bytes);
      this.urls[name] = file.url;
      changed = true;
    }
    if (!this.buffers[this.version]) this.version = 'original';
    if (changed && this.playing) this.restart();
    this.offset = Math.min(this.offset, this.duration());
    this.onChange();
  }

  duration() {
    const buffer = this.buffers[this.version] || this.buffers.original;
    return buffer ? buffer.duration : 0;
  }

  range() {
    const end = this.duration(), [from, to] = this.loopSpan || [0, end];
    return to - from > 0.02 ? [from, Math.min(to, end)] : [0, end];
  }

  position() {
    if (!this.playing) return this.offset;
    const [from, to] = this.playedRange, at = this.offset + Math.max(0, this.context.currentTime - this.startedAt);
    if (at < to) return at;
    return this.loopSpan ? from + ((at - from) % (to - from)) : to;
  }

  ended() { return this.playing && !this.loopSpan && this.position() >= this.playedRange[1] - 0.005; }

  start() {
    const context = this.audio();
    context.resume();
    const [from, to] = (this.playedRange = this.range());
    if (this.offset >= to - 0.01 || this.offset < from) this.offset = from;
    this.startedAt = context.currentTime + START_DELAY;
    for (const [name, buffer] of Object.entries(this.buffers)) this.voices[name] = this.voice(name, buffer, from, to);
    this.playing = true;
    this.onChange();
  }

  voice(name, buffer, from, to) {
    const source = this.context.createBufferSource(), gain = this.context.createGain();
    source.buffer = buffer;
    Object.assign(source, { loop: !!this.loopSpan, loopStart: from, loopEnd: to });
    gain.gain.value = name === this.version ? 1 : 0;
    source.connect(gain).connect(this.meter);
    source.start(this.startedAt, this.offset);
    return { source, gain };
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
    for (const [name, { gain }] of Object.entries(this.voices)) {
      gain.gain.setTargetAtTime(name === version ? 1 : 0, this.context.currentTime, FADE);
    }
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
