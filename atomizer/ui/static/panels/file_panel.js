// The sound as a file of atoms: bytes at the slider of the orderings, the sound of the prefix that
// ends there, curves of codecs, and the file.

import { drawCodecCurves, moveMark } from '../plot/codec_curves.js';
import { isPursuit } from '../plot/pursuit.js';
import { NO_FILES } from '../state/view_state.js';
import { download, fetchBytes } from '../util/files.js';
import * as format from '../util/format.js';

/** @typedef {import('../types').Compression} Compression */
/** @typedef {import('../types').AtomsFile} AtomsFile */
/** @typedef {import('../types').FilePrefix} FilePrefix */
/** @typedef {{order: string, size: number, filled: boolean}} Wanted */

/** @param {Wanted} a
 * @param {Wanted} b */
const isSame = (a, b) => a.order === b.order && a.size === b.size && a.filled === b.filled;

/** The fold in the panel of orderings. */
export class FilePanel {
  /**
   * @param {import('../types').Find} find
   * @param {string[]} orderings that files of atoms have
   * @param {import('./order_panel.js').OrderPanel} orders
   * @param {import('../types').Trigger} trigger
   */
  constructor(find, orderings, orders, trigger) {
    this.find = find;
    this.orderings = orderings;
    this.orders = orders;
    this.trigger = trigger;
    this.compression = NO_FILES;
    /** Bytes at the positions of the slider, by the address of the file.
     * @type {Map<string, Uint32Array>} */
    this.ends = new Map();
    /** @type {Set<string>} orderings whose file was requested */
    this.requested = new Set();
    /** @type {{wanted: Wanted, resolve: (prefix: FilePrefix | null) => void} | null} */
    this.waiting = null;
    this.isMeasuring = false;
    this.isDrawn = false;
    this.original = '';
    find('order-file').addEventListener('toggle', () => {
      this.requested.clear(); // one whose answer was lost, too
      return this.update();
    });
    find('file-sound').addEventListener('change', () => orders.updateSound());
    find('file-download').addEventListener('click', () => this.download());
    find('file-compare').addEventListener('click', () => this.compare());
  }

  /** Whether the chosen ordering is one of files of atoms. */
  get isSupported() {
    const { scene, name, reverse } = this.orders;
    return !!scene && !isPursuit(scene) && !reverse && this.orderings.includes(name);
  }

  get isShown() {
    return this.isSupported && this.find('order-file').open;
  }

  /** @returns {AtomsFile | undefined} of the chosen ordering */
  get file() {
    return this.compression.files.find((file) => file.order === this.orders.name);
  }

  /** What the slider plays: the exact "atoms", or the prefix of the file, "sent" or "filled". */
  get sound() {
    return this.isShown ? this.find('file-sound').value : 'atoms';
  }

  /** Bytes at the slider, or null before the file is there. */
  get size() {
    const ends = this.file && this.ends.get(this.file.ends.url);
    return ends ? ends[Math.round(this.orders.position)] : null;
  }

  /** Bit rate at the slider. */
  get kbps() {
    return ((this.size ?? 0) * 8e-3) / Math.max(1e-3, this.orders.scene?.duration ?? 0);
  }

  /** Take what Python sends with every message.
   * @param {Compression} compression
   * @param {string} original address of the sound */
  async receive(compression, original) {
    if (original !== this.original) this.forget();
    this.original = original;
    const hasChanged = JSON.stringify(compression) !== JSON.stringify(this.compression);
    this.compression = compression;
    if (!hasChanged) return;
    const { prefix, problem, measured, points } = compression;
    if (problem) this.requested.clear();
    if (problem || measured === points) this.isMeasuring = false;
    for (const { ends } of compression.files)
      if (!this.ends.has(ends.url))
        this.ends.set(ends.url, new Uint32Array(await fetchBytes(ends)));
    if (this.waiting && (problem || (prefix && isSame(prefix, this.waiting.wanted))))
      this.answer(problem ? null : prefix);
    await this.update();
    if (this.sound !== 'atoms' && !this.waiting && !problem) this.orders.updateSound();
  }

  /** The sound is another one: nothing of the old file comes any more. */
  forget() {
    this.ends.clear();
    this.requested.clear();
    this.isMeasuring = false;
    this.find('file-sound').value = 'atoms';
    this.answer(null);
  }

  /** @param {FilePrefix | null} prefix */
  answer(prefix) {
    const { waiting } = this;
    this.waiting = null;
    waiting?.resolve(prefix);
  }

  /** Show the fold for the chosen ordering, and request its file once it is open. */
  async update() {
    this.find('order-file').hidden = !this.isSupported;
    if (!this.isShown) return;
    const { name } = this.orders;
    if (!this.file && !this.requested.has(name)) {
      this.requested.add(name);
      this.trigger('encode', { order: name });
    }
    this.write();
    await this.draw();
  }

  /** Bytes, bit rate, and what is known of the sound of this prefix. */
  write() {
    if (!this.isShown) return;
    const { find, file, size, compression } = this;
    const isThere = !!file && size !== null;
    find('file-sound').disabled = !isThere;
    find('file-download').disabled = !isThere;
    find('file-size').textContent = isThere
      ? format.bytes(size) + ' · ' + this.kbps.toFixed(1) + ' kbit/s'
      : compression.problem || 'Encoding …';
    const { prefix } = compression;
    const wanted = { order: this.orders.name, size: size ?? 0, filled: this.sound === 'filled' };
    const parts = [];
    if (file && size === file.size) parts.push('the whole file');
    else if (file) parts.push('of ' + format.bytes(file.size));
    if (this.waiting && this.sound !== 'atoms') parts.push('decoding …');
    else if (prefix && this.sound !== 'atoms' && isSame(prefix, wanted))
      parts.push(
        (prefix.filled ? 'filled in' : 'as sent') + ': SNR ' + format.decibels(prefix.snr_db),
      );
    find('file-worth').textContent = parts.join(' · ');
    find('file-compare').disabled = this.isMeasuring;
    find('file-compare').textContent = this.isMeasuring
      ? 'Measuring ' + compression.measured + ' of ' + (compression.points || '…')
      : 'Compare with other codecs';
    if (this.isDrawn) moveMark(find('file-plot'), this.kbps, this.orders.host.isDark());
  }

  async draw() {
    const { compression } = this;
    const plot = this.find('file-plot');
    plot.hidden = !compression.curves.length;
    this.find('file-note').hidden = plot.hidden;
    this.isDrawn = false;
    if (plot.hidden) return;
    this.find('file-note').textContent =
      'The loudest ' +
      format.seconds(compression.seconds) +
      '. Sizes of the other codecs are without headers.';
    const view = { isDark: this.orders.host.isDark(), kbps: this.kbps };
    await drawCodecCurves(plot, compression, view);
    this.isDrawn = true;
  }

  /** The decoded prefix at the slider; null if there is none, or the sound has changed.
   * @returns {Promise<AudioBuffer | null>} */
  async decode() {
    const { file, size } = this;
    if (!file || size === null) return null;
    const filled = this.sound === 'filled';
    const wanted = { order: file.order, size, filled };
    let { prefix } = this.compression;
    if (!prefix || !isSame(prefix, wanted)) {
      const answer = new Promise((resolve) => {
        this.waiting = { wanted, resolve };
      });
      this.trigger(filled && file.order === 'velocity' ? 'unsent' : 'prefix', wanted);
      this.write();
      prefix = /** @type {FilePrefix | null} */ (await answer);
    }
    const buffer = prefix && (await this.orders.player.fetch(prefix.sound.url));
    this.write();
    return buffer;
  }

  compare() {
    this.isMeasuring = true;
    this.trigger('codecs', { order: this.orders.name });
    this.write();
  }

  /** Download the file up to the slider: any prefix is a file. */
  async download() {
    const { file, size } = this;
    if (!file || size === null) return;
    const bytes = (await fetchBytes(file.file)).slice(0, size);
    const url = URL.createObjectURL(new Blob([bytes]));
    download(url, file.file.orig_name);
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }
}
