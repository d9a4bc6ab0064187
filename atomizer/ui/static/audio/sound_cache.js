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
  }

  clear() {
    this.sounds.clear();
  }

  /** @param {string} url
   * @param {BaseAudioContext} context
   * @param {string[]} used addresses of sounds that stay
   * @returns {Promise<AudioBuffer>} */
  async fetch(url, context, used) {
    const cached = this.sounds.get(url);
    if (cached) return cached;
    const bytes = await (await fetchFile(url)).arrayBuffer();
    const decoded = await context.decodeAudioData(bytes);
    this.sounds.set(url, decoded);
    this.forget([...used, url]);
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
