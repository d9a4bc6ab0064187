// Decoded sounds: the last few stay, so that old variations play at once.

import { fetchFile } from '../util/files.js';

const MAX_SAMPLES = 60e6;

/** @param {AudioBuffer} buffer */
const sizeOf = (buffer) => buffer.length * buffer.numberOfChannels;

/** Fetches and decodes files. */
export class SoundCache {
  constructor() {
    /** @type {Map<string, AudioBuffer>} */
    this.sounds = new Map();
    /** Sounds that are on their way.
     * @type {Map<string, Promise<AudioBuffer>>} */
    this.coming = new Map();
  }

  clear() {
    this.sounds.clear();
  }

  /** @param {string} url
   * @param {BaseAudioContext} context
   * @param {string[]} used addresses of sounds that stay
   * @returns {Promise<AudioBuffer>} */
  async fetch(url, context, used) {
    const known = this.sounds.get(url) || this.coming.get(url);
    if (known) return known;
    const decoding = this.decode(url, context).finally(() => this.coming.delete(url));
    this.coming.set(url, decoding);
    const decoded = await decoding;
    this.forget([...used, url]);
    return decoded;
  }

  /** @param {string} url
   * @param {BaseAudioContext} context */
  async decode(url, context) {
    const bytes = await (await fetchFile(url)).arrayBuffer();
    const decoded = await context.decodeAudioData(bytes);
    this.sounds.set(url, decoded);
    return decoded;
  }

  /** Drop the oldest sounds while there are too many samples.
   * @param {string[]} used */
  forget(used) {
    let total = [...this.sounds.values()].reduce((sum, buffer) => sum + sizeOf(buffer), 0);
    for (const [url, buffer] of this.sounds) {
      if (total < MAX_SAMPLES || used.includes(url)) continue;
      this.sounds.delete(url);
      total -= sizeOf(buffer);
    }
  }
}
