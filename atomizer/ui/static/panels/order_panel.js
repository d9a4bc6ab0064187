// Orderings: move along one, see and hear its first n atoms, and let it build up the sound.

import { PursuitSynthesiser } from '../audio/pursuit_synthesis.js';
import { Synthesiser } from '../audio/synthesis.js';
import { amplitudesOf } from '../plot/atoms.js';
import { isPursuit } from '../plot/pursuit.js';
import {
  countAtPosition,
  countUntilTime,
  cumulativeEnergy,
  orderAtoms,
  qualityOf,
  ranksOf,
  timeOfCount,
} from '../state/orderings.js';
import * as format from '../util/format.js';
import { FilePanel } from './file_panel.js';
import { OrderCurves } from './order_curves.js';

/** @typedef {import('../types').Scene} Scene */
/** @typedef {import('../types').Atoms} Atoms */

/**
 * @typedef {object} Host
 * @property {() => void} changed the picture must be drawn again
 * @property {(open: boolean) => void} opened
 * @property {() => boolean} isDark
 * @property {(version: import('../types').Version) => void} chooseVersion
 * @property {(running: boolean) => void} buildingUp started or stopped
 * @property {import('../types').Trigger} trigger sends an event to Python
 */

const END = 1000; // position of the slider for all atoms
const RENDER_PAUSE_MS = 180; // between two sounds while the slider is dragged
const MIN_REVERSED_SECONDS = 0.6; // of a sound that grows from its end, before it plays
const STEP_MS = 80; // of building up
/** The panel. */
export class OrderPanel {
  /**
   * @param {import('../types').Find} find
   * @param {import('../types').Config} config
   * @param {import('../audio/player.js').Player} player
   * @param {Host} host
   */
  constructor(find, config, player, host) {
    this.find = find;
    this.names = config.orderings;
    this.player = player;
    this.host = host;
    /** @type {Scene | null} */
    this.scene = null;
    /** @type {Atoms | null} */
    this.atoms = null;
    this.open = false;
    this.name = 'velocity';
    this.reverse = false;
    /** Position of the slider, 0 to 1000. */
    this.position = END;
    /** @type {Map<string, {found: Uint32Array, sums: Float64Array}>} */
    this.cache = new Map();
    /** @type {{key: string, atoms: Atoms, ranks: Uint32Array} | null} */
    this.ranked = null;
    /** @type {import('../types').Renderer | null} */
    this.synthesiser = null;
    /** @type {string | null} ordering and count of the sound that the player has */
    this.renderedKey = null;
    this.isRenderRequested = false;
    /** @type {Promise<void> | null} */
    this.rendering = null;
    this.isBuildingUp = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.curves = new OrderCurves(find('order-curves'), find('curves'), this);
    const menu = find('order-name');
    menu.replaceChildren(...this.names.map((name) => new Option(format.ordering(name), name)));
    menu.value = this.name;
    menu.addEventListener('change', () => this.choose(menu.value, this.reverse));
    const reversed = find('order-reverse');
    reversed.addEventListener('change', () => this.choose(this.name, reversed.checked));
    const slider = find('order-place');
    slider.addEventListener('input', () => {
      this.stop();
      this.setPosition(Number(slider.value));
    });
    this.file = new FilePanel(find, config.fileOrderings, this, host.trigger);
  }

  /** Show the atoms of another scene.
   * @param {Scene} scene
   * @param {Atoms} atoms */
  show(scene, atoms) {
    if (this.atoms === atoms) return;
    this.stop();
    this.scene = scene;
    this.atoms = atoms;
    this.cache = new Map();
    this.synthesiser = null;
    this.position = END;
    this.renderedKey = null;
    this.player.removeBuffer('first');
    if (this.open) this.enter();
  }

  /** Atoms and scene; they are there whenever the panel is used.
   * @returns {{scene: Scene, atoms: Atoms}} */
  get shown() {
    const { scene, atoms } = this;
    if (!scene || !atoms) throw new Error('There is no sound yet.');
    return { scene, atoms };
  }

  get total() {
    return this.atoms ? this.atoms.count : 0;
  }

  /** Number of atoms at the position of the slider. */
  get first() {
    return countAtPosition(this.position, this.total, this.name);
  }

  /** @param {string} name */
  permutation(name) {
    const cached = this.cache.get(name);
    if (cached) return cached;
    const { scene, atoms } = this.shown;
    const found = orderAtoms(atoms, name, scene);
    const made = { found, sums: cumulativeEnergy(found, amplitudesOf(atoms, scene)) };
    this.cache.set(name, made);
    return made;
  }

  /** Ranks of the atoms in the chosen ordering. */
  ranks() {
    const { atoms } = this.shown;
    const key = this.name + this.reverse;
    if (this.ranked?.key !== key || this.ranked.atoms !== atoms)
      this.ranked = {
        key,
        atoms,
        ranks: ranksOf(this.permutation(this.name).found, this.reverse),
      };
    return this.ranked.ranks;
  }

  /** Rank of one of these atoms if ranks were computed for them, or null.
   * @param {Atoms | null} atoms
   * @param {number} i */
  knownRank(atoms, i) {
    return i >= 0 && this.ranked && this.ranked.atoms === atoms ? this.ranked.ranks[i] : null;
  }

  /** Quality of the first n atoms of the chosen ordering. */
  quality() {
    const { sums } = this.permutation(this.name);
    return qualityOf(sums, this.first, this.reverse, this.shown.scene.energy);
  }

  /** @param {boolean} open */
  setOpen(open) {
    if (open === this.open) return;
    this.open = open;
    this.stop();
    this.find('order').hidden = !open;
    if (open) this.enter();
    else this.renderedKey = null; // the player drops the sound
    this.host.opened(open);
  }

  enter() {
    if (!this.scene) return;
    this.write();
    this.curves.draw();
    this.file.update();
    this.updateSound();
  }

  /** @param {string} name
   * @param {boolean} reverse */
  choose(name, reverse) {
    this.stop();
    this.name = name;
    this.reverse = reverse;
    this.find('order-name').value = name;
    this.find('order-reverse').checked = reverse;
    this.setPosition(this.position);
    this.curves.draw();
    this.file.update();
  }

  /** @param {number} position 0 to 1000 */
  setPosition(position) {
    this.position = Math.min(END, Math.max(0, position));
    if (!this.scene) return;
    this.write();
    this.updateSound();
    this.host.changed();
  }

  write() {
    const { energy, snr } = this.quality();
    const n = this.first;
    const slider = this.find('order-place');
    slider.value = String(this.position);
    slider.setAttribute('aria-valuetext', 'the first ' + format.count(n) + ' atoms');
    this.find('order-count').textContent =
      'first ' + format.count(n) + ' of ' + format.count(this.total) + ' atoms';
    // pursuit atoms are not orthogonal: the sum of their energies is an estimate
    this.find('order-worth').textContent =
      (isPursuit(this.scene) ? 'SNR about ' : 'SNR ') +
      format.decibels(snr) +
      ' · ' +
      format.percent(energy) +
      ' of the energy';
    this.curves.movePoint();
    this.file.write();
  }

  /** Render the sound of the first atoms. The last of several calls counts. */
  updateSound() {
    this.isRenderRequested = true;
    this.rendering ??= this.render().finally(() => {
      this.rendering = null;
    });
    return this.rendering;
  }

  async render() {
    while (this.isRenderRequested && this.open && this.scene && this.atoms) {
      this.isRenderRequested = false;
      const { atoms, scene } = this;
      // building up by time, the playhead stays before the edge: there, the sound is that of all
      const n = this.isBuildingUp && this.name === 'time' ? this.total : this.first;
      const sound = this.isBuildingUp ? 'atoms' : this.file.sound;
      const key = [sound, this.name, this.reverse, n].join();
      if (this.renderedKey === key) continue;
      const buffer = sound === 'atoms' ? await this.renderAtoms(n) : await this.file.decode();
      if (!buffer || atoms !== this.atoms || !this.open) continue;
      this.renderedKey = key;
      this.player.setBuffer('first', buffer);
      this.player.onChange();
      await new Promise((resolve) => setTimeout(resolve, RENDER_PAUSE_MS));
    }
  }

  /** The sound of exactly the first n atoms; null if a later call has replaced this one.
   * @param {number} n */
  async renderAtoms(n) {
    const { scene, atoms } = this.shown;
    const Renderer = isPursuit(scene) ? PursuitSynthesiser : Synthesiser;
    this.synthesiser ??= new Renderer(scene, atoms, amplitudesOf(atoms, scene));
    const channels = await this.synthesiser.renderFirst(n, this.ranks());
    return channels && this.player.createBuffer(channels, scene.rate);
  }

  // ---------- building up the sound

  toggleBuildUp() {
    if (!this.isBuildingUp) return this.buildUp();
    this.stop();
    if (this.name === 'time') this.player.pause(); // nothing comes after the edge
    return undefined;
  }

  /** Build up the sound while it plays: by time with the playhead, or else in about its length. */
  async buildUp() {
    this.isBuildingUp = true;
    this.setPosition(this.position >= END ? 0 : this.position);
    this.host.buildingUp(true);
    await this.rendering;
    if (!this.isBuildingUp || !this.player.buffers.first) {
      this.stop();
      return;
    }
    const positionNow = this.name === 'time' ? this.followPlayhead() : this.followClock();
    const next = () => {
      if (!this.isBuildingUp) return;
      this.setPosition(positionNow());
      if (this.position >= END) this.stop();
      else this.timer = setTimeout(next, STEP_MS);
    };
    this.player.stopVoices();
    this.player.choose('first');
    this.host.chooseVersion('first');
    next();
  }

  /** Whether the player has come to its end; a user's pause leaves it elsewhere. */
  get isAtEnd() {
    return !this.player.playing && this.player.offset === this.player.range()[0];
  }

  /** @param {number} from seconds */
  playFrom(from) {
    this.player.offset = from;
    this.player.start();
  }

  /** Function that returns the position of the playhead, or, reversed, of the clock, by time. */
  followPlayhead() {
    const { player, reverse } = this;
    const { scene, atoms } = this.shown;
    const { found } = this.permutation('time');
    const { frame } = atoms;
    const perFrame = scene.hop / scene.rate;
    const positionAt = (/** @type {number} */ seconds) => {
      const n = countUntilTime(found, frame, perFrame, seconds, reverse);
      return (END * n) / Math.max(1, this.total);
    };
    const from = timeOfCount(found, frame, perFrame, this.first, reverse, scene.duration);
    const began = performance.now();
    let started = false;
    return () => {
      const edge = reverse ? from - (performance.now() - began) / 1000 : from;
      if (started && !reverse) return this.isAtEnd ? END : positionAt(player.position() + perFrame);
      // a sound that grows from its end plays again and again, each time from its new start
      const isLong = !reverse || scene.duration - edge > MIN_REVERSED_SECONDS;
      if ((!started || this.isAtEnd) && isLong) {
        this.playFrom(Math.max(0, edge));
        started = true;
      }
      return reverse && edge <= 0 ? END : positionAt(edge);
    };
  }

  /** Function that returns the position of the clock; a short sound plays again. */
  followClock() {
    const { player, position: from } = this;
    const seconds = Math.min(20, Math.max(5, this.shown.scene.duration));
    const began = performance.now();
    player.offset = 0;
    let started = false;
    return () => {
      if (!started || this.isAtEnd) this.playFrom(player.range()[0]);
      started = true;
      return from + (END - from) * ((performance.now() - began) / (1000 * seconds));
    };
  }

  stop() {
    if (!this.isBuildingUp) return;
    this.isBuildingUp = false;
    clearTimeout(this.timer);
    this.host.buildingUp(false);
    this.updateSound();
  }

  themeChanged() {
    this.curves.draw();
    this.file.update();
  }
}
