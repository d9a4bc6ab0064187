// The component: it owns the selection, shows what Python sends, and wires tools, keys, player and picture together.

import { amplitudesOf, decibelsOf, FILLED, merge, unpack, UNKNOWN } from './atoms.js';
import { ExcerptPicker } from './excerpt.js';
import * as format from './format.js';
import { History } from './history.js';
import { choose, isSame, Keeper } from './keeper.js';
import { actionOf, showSheet } from './keys.js';
import { legendOf, paintKinds } from './kinds.js';
import { OrderPanel } from './order_panel.js';
import { Overlay } from './overlay.js';
import { Palette } from './palette.js';
import { Picture } from './picture.js';
import { cueOf, Player } from './player.js';
import { PresetEditor } from './preset_editor.js';
import { Eraser } from './eraser.js';
import { Chosen, extentOf, isPursuit, unpackPursuit } from './pursuit.js';
import { Cells, forPython, fromFile, fromPython, inverted, nameOf, readout, spanOf, toFile, transformed } from './selection.js';
import { Pointer, TOOLS } from './tools.js';
import { neighbour, showVariations } from './variations.js';
import { sizeOf } from './sizes.js';

const VERSIONS = { original: 'The original', masked: 'Masked', filled: 'Filled', change: 'The change', first: 'The original' };
const PATIENCE = 6000, SETTLED = 120;   // milliseconds
const NARROW = '(max-width: 900px)', STILL = '(prefers-reduced-motion: reduce)';
const COLOURS = ['sign', 'state', 'channel', 'rank', 'scale'], AXES = ['log', 'linear', 'mel'];

export async function mount({ element, props, trigger, watch, config }) {
  const root = element.querySelector('.atom-view');
  if (root.atomView) return;
  const view = new View(root, config, { props, trigger });
  root.atomView = view;   // for tests and for the curious
  await view.picture.open();
  await view.recall();
  watch('value', () => view.receive());
  root.dataset.ready = 'true';
  await view.receive();
}

class View {
  constructor(root, config, { props, trigger }) {
    Object.assign(this, { root, config, props, trigger, find: (name) => root.querySelector('[data-name="' + name + '"]') });
    const { find } = this;
    this.history = new History([]);
    this.keeper = new Keeper();
    this.state = {
      scene: null, original: null, shown: null, base: null, partBits: null, variations: [], variation: null, live: null, busy: false, tool: 'box', op: 'add',
      channel: null, colour: 'sign', version: 'original', looping: false, active: -1, preview: null, messageNumber: 0, steps: 0, aliases: new Map(),
      scenes: new Map(), readout: null, feedbackMilliseconds: 0,
    };
    this.palette = new Palette(config.palette);
    this.player = new Player(() => { this.syncButtons(); this.showPosition(); if (this.player.playing) this.tick(); });
    this.picture = new Picture({ stage: find('stage'), plot: find('plot'), canvas: find('canvas'), playhead: find('playhead') }, this.palette,
      { moved: () => { this.showPosition(); this.showRegions(); }, rethemed: () => { this.showLegend(); this.orders.drawCurves(); } });
    this.overlay = new Overlay(find('overlay'), this.picture);
    this.orders = new OrderPanel(find, config.orderings, this.player, {
      changed: () => this.repaint(), opened: (open) => this.orderOpened(open), dark: () => this.picture.dark,
      version: (version) => this.chooseVersion(version), through: () => this.syncButtons() });
    this.eraser = new Eraser(this.player, { chosen: () => this.state.variation === null && !this.state.live, gone: () => this.chooseVersion('original') });
    this.presets = new PresetEditor(find, { duration: () => this.picture.duration, channels: () => (this.state.scene ? this.state.scene.channels : 1),
      add: (item) => this.add(this.scoped(item)), replace: (item, key) => this.replaceActive(item, key), complain: (text) => this.complain(text) });
    this.excerpt = new ExcerptPicker(find, { files: (file) => this.files(file), taken: (excerpt) => this.takeExcerpt(excerpt) });
    this.pointer = new Pointer(find('stage'), this.picture, {
      tool: () => this.state.tool, items: () => this.items, radius: () => Number(find('radius').value), most: () => Number(find('most').value) || 16,
      op: (event) => (event.altKey ? 'subtract' : this.state.op), preview: (item, index) => this.preview(item, index), add: (item) => this.add(this.scoped(item)),
      edit: (index, item) => this.change(this.items.map((old, k) => (k === index ? item : old)), { active: index }), choose: (index) => this.chooseItem(index),
      seek: (seconds) => this.player.seek(seconds), hover: (point) => this.hover(point), frame: (a, b) => this.overlay.showFrame(a, b) });
    this.listen();
    showSheet(find('keys-list'));
    this.showLegend();
    this.syncButtons();
  }

  get items() { return this.history.value; }

  // ---------- what is drawn

  /** Whether the selection is other than the one that the shown variation answers. */
  get pending() {
    const answer = this.state.live || this.state.variation;
    if (!answer) return true;
    const mine = forPython(this.items).key;
    return answer.key !== mine && this.state.aliases.get(answer.key) !== mine && !(answer.key === '' && !this.items.length);
  }

  repaint() {
    const { state } = this, version = state.live ? 'filled' : state.version;   // a fill is watched, whatever is heard
    if (!state.original) return;
    const atoms = state.shown && (version === 'filled' || version === 'masked' || version === 'change') ? state.shown : state.original;
    const look = { colour: state.colour, version: atoms === state.original && version !== 'first' ? 'original' : version, channel: state.channel, pending: this.pending,
      ranks: state.colour === 'rank' || version === 'first' ? this.orders.ranks() : null, first: version === 'first' ? this.orders.first : null };
    paintKinds(atoms, look, this.palette.index, this.palette.ranks);
    this.picture.atoms = atoms;
    this.picture.redraw();
  }

  showRegions() {
    const items = this.state.preview && this.state.preview.index < 0 ? [...this.items, this.state.preview.item] : this.items.map((item, k) =>
      (this.state.preview && this.state.preview.index === k ? this.state.preview.item : item));
    this.overlay.draw(items, this.state.active, this.state.tool === 'move');
  }

  showLegend() {
    const { state, palette } = this, kinds = legendOf(state.colour, state.scene ? state.scene.channels : 1, palette.ranks, (state.scene || {}).scales);
    const floor = format.decibels(state.scene ? state.scene.floor_db : -82);
    this.find('legend').replaceChildren(...kinds.map(([kind, text]) => {
      const label = document.createElement('span'), swatch = document.createElement('i');
      swatch.style.background = palette.gradient(kind, this.picture.dark);
      label.append(swatch, text);
      return label;
    }));
    this.find('legend').title = 'Velocity: each bar runs from ' + floor + ' to the loudest atom';
  }

  hover(point) {
    const { state } = this, brush = ['brush', 'harmonics'].includes(state.tool);
    this.overlay.showCursor(brush ? point : null, Number(this.find('radius').value));
    state.pointer = point;
    if (!this.hovering) this.hovering = requestAnimationFrame(() => { this.hovering = 0; this.showTip(); });
  }

  showTip() {
    const { state, picture } = this, tip = this.find('tip'), point = state.pointer, i = point && picture.scene ? picture.atomAt(point) : -1;
    tip.hidden = i < 0;
    if (i < 0) return;
    tip.replaceChildren(...this.describe(picture.atoms, i).map((line, k) => Object.assign(document.createElement(k ? 'span' : 'b'), { textContent: line })));
    const right = point.x > picture.left + picture.width - 190, low = point.y > picture.stage.clientHeight - 120;
    Object.assign(tip.style, { left: right ? '' : point.x + 14 + 'px', right: right ? picture.stage.clientWidth - point.x + 14 + 'px' : '',
      top: low ? '' : point.y + 12 + 'px', bottom: low ? picture.stage.clientHeight - point.y + 12 + 'px' : '' });
  }

  /** Lines about an atom: place and pitch, velocity and sign, rank. */
  describe(atoms, i) {
    const { state } = this, f = atoms.scale ? extentOf(state.scene, atoms, i).f : this.picture.axes.hertz[atoms.bin[i]], source = atoms.source ? atoms.source[i] : i;
    const status = atoms.state[i] === FILLED ? 'filled in' : atoms.state[i] === UNKNOWN || (this.pending && atoms.selected[i]) ? 'unknown' : '';
    const rank = source >= 0 && this.orders.rankArray && this.orders.rankedAtoms === state.original ? this.orders.rankArray[source] : null;
    const scale = atoms.scale ? [format.count(state.scene.scales[atoms.scale[i]]) + ' samples long'] : [];
    return [format.hertz(f) + '  ' + format.note(f), (atoms.frame[i] * this.picture.axes.perFrame).toFixed(3) + ' s' + (state.scene.channels > 1 ? ' · channel ' + atoms.channel[i] : ''),
      format.decibels(decibelsOf(atoms.velocity[i], state.scene)) + ' · sign ' + (atoms.sign[i] ? '+' : '−') + (status ? ' · ' + status : ''), ...scale,
      ...(rank === null ? [] : ['rank ' + format.count(rank + 1) + ' by ' + this.orders.name + (this.orders.reverse ? ', reversed' : '')])];
  }

  // ---------- the selection

  /** A region for the channel that is shown alone, where it names none itself. */
  scoped(item) { return this.state.channel === null || item.part || item.channels ? item : { ...item, channels: [this.state.channel] }; }

  add(item) {
    if (forPython([...this.items, item]).regions.length > this.config.maxRegions) {
      this.preview(null, -1);
      return this.complain('That is more than ' + this.config.maxRegions + ' regions, the most that a selection has: clear some first, or paint fewer partials.');
    }
    return this.change([...this.items, item], { active: this.items.length });
  }

  /** The active item takes another form: a preset's value is being changed. */
  replaceActive(item, key) {
    const { active } = this.state;
    if (active < 0) return;
    const old = this.items[active];
    this.change(this.items.map((it, k) => (k === active ? { ...item, ...(old.op && !item.part ? { op: old.op } : {}) } : it)), { active, key: key + active });
  }

  change(items, { active = -1, key = null } = {}) {
    this.history.push(items, key);
    this.state.active = active;
    this.selected();
  }

  stepBack(done) {
    if (!done) return;
    this.state.active = -1;
    this.selected();
  }

  /** The selection has changed: show it, and tell Python, once of quick changes. */
  selected() {
    this.adopt();
    this.keeper.select(this.items);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => { this.eraser.listen(this.state); this.trigger('selected'); }, SETTLED);
  }

  /** Make the selection the component's value, at once, so that a fill that is clicked next sees it. */
  adopt() {
    this.state.preview = null;
    if (!this.items.some((item) => item.part)) this.state.partBits = null;
    this.props.value = forPython(this.items);
    this.mark(this.items);
    this.showChips();
    this.presets.follow(this.items[this.state.active]);
    if (this.state.looping) this.player.loop(this.selectedSpan());
    this.syncButtons();
  }

  /** Show a selection that is only being drawn. */
  preview(item, index) {
    this.state.preview = item ? { item, index } : null;
    this.mark(!item ? this.items : index < 0 ? [...this.items, item] : this.items.map((old, k) => (k === index ? item : old)));
    this.showRegions();
  }

  mark(items) {
    const { state } = this, began = performance.now();
    if (!state.scene) return;
    state.cells.set(items);
    const parts = state.partBits && state.partBits.key === this.partsKey() && state.scene === state.base ? state.partBits.bits : null;
    state.cells.mark(state.original, parts);
    if (state.shown) state.cells.mark(state.shown, null);
    state.readout = readout(state.original, amplitudesOf(state.original, state.scene), this.picture.axes, state.scene.energy);
    this.showReadout();
    this.repaint();
    state.feedbackMilliseconds = performance.now() - began;
    this.root.dataset.selected = state.readout ? state.readout.count : 0;
  }

  partsKey() { return JSON.stringify(forPython(this.items).specs); }

  showReadout() {
    const { readout: found } = this.state, nothing = this.items.length || this.state.preview ? 'No audible atom is selected' : 'Nothing is selected';
    this.find('readout').textContent = !found ? nothing : [format.span(found.t, format.seconds), format.span(found.f, format.hertz),
      format.count(found.count) + ' atoms', format.percent(found.energy) + ' of the energy'].join(' · ');
  }

  selectedSpan() { return spanOf(this.items, this.player.duration()); }

  chooseItem(index) {
    this.state.active = index;
    this.showChips();
    this.presets.follow(this.items[index]);
    this.showRegions();
    this.syncButtons();
  }

  showChips() {
    const list = this.find('chips'), focused = list.contains(document.activeElement) ? document.activeElement.dataset.chip : null;
    list.replaceChildren(...this.items.flatMap((item, index) => {
      const chip = document.createElement('span'), choose = document.createElement('button'), remove = document.createElement('button');
      chip.className = 'chip' + (item.op === 'subtract' ? ' subtract' : '') + (index === this.state.active ? ' active' : '');
      Object.assign(choose, { type: 'button', textContent: (item.op === 'subtract' ? '− ' : '') + nameOf(item), title: 'Choose it: arrows move it, Delete removes it' });
      choose.dataset.chip = index;
      choose.setAttribute('aria-pressed', String(index === this.state.active));
      Object.assign(remove, { type: 'button', textContent: '×', title: 'Remove this from the selection' });
      remove.setAttribute('aria-label', 'Remove ' + nameOf(item));
      remove.dataset.remove = index;
      chip.append(choose, remove);
      return chip;
    }));
    const again = focused !== null && list.querySelector('[data-chip="' + focused + '"]');
    if (again) again.focus();
  }

  remove(index) { if (this.items[index]) this.change(this.items.filter((_, k) => k !== index)); }

  /** Move, or resize, the active region by steps of a fiftieth of what is seen. */
  nudge(across, along, resize) {
    const { state, picture } = this, item = this.items[state.active];
    if (!item || item.part || item.everything) return false;
    const dt = ((picture.t[1] - picture.t[0]) / 50) * across, du = ((picture.u[1] - picture.u[0]) / 50) * along;
    const shifted = (f) => picture.hertz(picture.unit(f) + du);
    const high = item.t && item.t[1], top = item.f && item.f[1];
    const next = !resize ? transformed(item, (t) => t + dt, shifted)
      : transformed(item, (t) => (t === high ? t + dt : t), (f) => (f === top ? shifted(f) : f));
    this.change(this.items.map((old, k) => (k === state.active ? next : old)), { active: state.active, key: 'nudge ' + state.active });
    return true;
  }

  // ---------- what Python sends

  async files(file) { return (await fetch(file.url)).arrayBuffer(); }

  /** Messages are complete, so only the newest one matters. */
  async receive() {
    const message = this.props.value;
    if (!message || typeof message !== 'object' || !message.number) return;
    this.props.value = forPython(this.items);   // the value is the selection, whatever Python has sent
    if (message.number <= this.state.messageNumber) return;
    this.waiting = message;
    if (this.working) return;
    this.working = true;
    while (this.waiting) {
      const next = this.waiting;
      this.waiting = null;
      this.state.messageNumber = next.number;
      try {
        await this.show(next);
      } catch (error) {
        this.complain('This could not be shown: ' + error.message);
      }
    }
    this.working = false;
  }

  async show(message) {
    const { state } = this, { scene } = message;
    if (scene && (!state.base || state.base.id !== scene.id)) {
      const same = state.base && state.base.sound === scene.sound && state.originalUrl === message.original.url;
      await (same ? this.changeAtoms(scene) : this.showSound(message));
      if (!same) this.keepSound(message);
    }
    if (!message.busy && state.base) this.showAtomizer();
    const story = message.proposal && state.proposed !== message.proposal.id;
    if (story) this.propose(message.proposal);
    await this.excerpt.show(message.excerpt);
    await this.showParts(message.parts);
    const announced = message.variations.length && state.announced !== message.current;
    state.variations = message.variations;
    state.live = message.busy ? message.live : null;
    this.showBusy(message);
    if (state.live) await this.showResult(state.live, 'filled');
    else if (announced || !state.variations.some((v) => state.variation && v.id === state.variation.id)) {
      await this.chooseVariation(state.variations.some((v) => v.id === message.current) ? message.current : null, announced && message.current !== null ? 'filled' : undefined);
    } else if (state.wasLive) await this.chooseVariation(state.variation.id);
    if (announced && state.variation && state.variation.key === state.proposed && state.told !== state.proposed) this.tell(story);
    state.announced = message.current;
    state.wasLive = !!state.live;
    this.showHistory();
    if (message.download && state.downloaded !== message.download.id) this.download(message.download);
    const revert = this.find('revert');
    revert.hidden = !message.before;
    Object.assign(this.find('note'), { hidden: !message.note, textContent: message.note });
    if (story && matchMedia(NARROW).matches) this.find('note').scrollIntoView({ block: 'nearest', behavior: matchMedia(STILL).matches ? 'auto' : 'smooth' });
    this.syncButtons();
    this.root.dataset.message = message.number;
  }

  /** Where the page was reloaded, as it is when the server comes back: give it the sound again that was there. */
  async recall() {
    const source = document.getElementById('file');
    if (source) this.keeper.follow(source);
    try {
      this.state.recalled = source && await this.keeper.recall();
    } catch {
      this.state.recalled = null;   // a browser that keeps nothing
    }
  }

  /** The sound of a message is there: keep it, or, after a reload, ask for the one that was kept and select as before. */
  async keepSound(message) {
    const { recalled } = this.state;
    if (recalled && !isSame(recalled, message.scene)) {
      const input = document.querySelector('#file input[type=file]');
      if (input && !recalled.asked) {
        recalled.asked = true;
        choose(input, recalled.blob, recalled.name);
        return;
      }
    }
    this.state.recalled = null;
    if (recalled && recalled.items.length) {
      this.history.reset(recalled.items);
      this.selected();
    } else this.keeper.select(this.items);
    await this.keeper.keep(message.scene, message.original.url).catch(() => {});
  }

  /** A new original: everything that was made of the one before is gone. */
  async showSound(message) {
    const { state, player } = this, { scene } = message, another = !state.base || state.base.sound !== scene.sound;
    const buffer = this.files(scene.atoms);
    this.eraser.forget();
    player.silence();
    player.offset = 0;
    player.loopSpan = null;
    state.scenes.clear();
    Object.assign(state, { base: scene, shown: null, partBits: null, variation: null, live: null, version: 'original', channel: null, looping: false,
      announced: null, active: -1, originalUrl: message.original.url });
    if (another) this.history.reset([]);
    await this.useScene(scene, buffer, false);
    this.showChannels();
    this.find('empty').hidden = true;
    this.props.value = forPython(this.items);
    this.showChips();
    this.presets.follow(null);
    this.root.dataset.scene = scene.id;
    player.choose('original');
    await player.load({ original: message.original.url });
  }

  /** The same sound made of other atoms, or of more of them: the selection, the variations and what plays stay. */
  async changeAtoms(scene) {
    const { state } = this;
    state.scenes.delete(state.base.id);
    Object.assign(state, { base: scene, variation: null, partBits: null });
    if (!isPursuit(scene) && state.colour === 'scale') this.setColour('sign');
    await this.useScene(scene);
    await this.eraser.listen(state);
  }

  /** Make a scene, of the sound itself or of a longer or wider version of it, the plane that is shown. */
  async useScene(scene, buffer, keep = true) {
    const { state } = this;
    if (state.scene && state.scene.id === scene.id) return;
    if (!state.scenes.has(scene.id)) state.scenes.set(scene.id, (isPursuit(scene) ? unpackPursuit : unpack)(await (buffer || this.files(scene.atoms)), scene.count));
    Object.assign(state, { scene, original: state.scenes.get(scene.id), shown: null });
    const shown = this.picture.show(scene, state.original, keep);
    state.cells = isPursuit(scene) ? new Chosen(scene) : new Cells(scene, this.picture.axes);
    this.find('colour').querySelector('[value=scale]').hidden = !isPursuit(state.base);
    this.showTitle();
    this.showLegend();
    this.orders.show(scene, state.original);
    this.mark(this.items);
    await shown;
  }

  takeExcerpt({ start, seconds }) {
    this.say('Reading the excerpt …');
    this.trigger('excerpt', { start, seconds });
  }

  propose(proposal) {
    this.state.proposed = proposal.id;
    this.history.reset(fromPython(proposal.regions, proposal.specs));
    this.state.aliases.set(proposal.id, forPython(this.items).key);
    this.state.active = -1;
    this.adopt();
  }

  /** What a story fills in is there: stand a little before it, and play where it came at once; who has waited for it may not be here any more. */
  tell(atOnce) {
    const { state, player, picture } = this;
    state.told = state.proposed;
    player.seek(cueOf(state.shown, picture.axes.perFrame));
    if (atOnce && !document.hidden) player.start();
  }

  async showParts(parts) {
    const { state } = this;
    if (!parts || (state.partBits && state.partBits.url === parts.bits.url)) return;
    state.partBits = { key: parts.key, url: parts.bits.url, bits: new Uint8Array(await this.files(parts.bits)) };
    this.mark(this.items);
  }

  /** The atoms of a result in place of the hidden ones. */
  async showResult(result) {
    const { state } = this;
    const [hidden, changed] = await Promise.all([this.files(result.hidden), this.files(result.atoms), this.useScene(result.scene)]);
    state.shown = merge(state.original, new Uint8Array(hidden), unpack(changed, result.count));
    state.cells.mark(state.shown, null);
    if (result.done && state.live) state.steps++;
    this.repaint();
  }

  /** Show and play a variation, or, for null, only the original. */
  async chooseVariation(id, version) {
    const { state } = this, variation = state.variations.find((v) => v.id === id) || null;
    state.variation = variation;
    if (variation) {
      await this.showResult(variation);
      await this.player.load({ original: state.originalUrl, masked: variation.masked.url, filled: variation.sound.url });
    } else {
      state.shown = null;
      await this.useScene(state.base);
      await this.player.load({ original: state.originalUrl });
      this.eraser.listen(state);
    }
    this.chooseVersion(version || (this.player.buffers[state.version] ? state.version : 'original'));
    this.showHistory();
    this.repaint();
  }

  showHistory() {
    const { state } = this;
    this.find('history').hidden = !state.variations.length;
    showVariations(this.find('variations'), state.variations, state.variation && state.variation.id);
  }

  showBusy({ busy, live, status }) {
    this.state.busy = busy;
    this.root.classList.toggle('busy', busy);
    this.find('progress').style.width = busy && live ? (100 * live.done) / live.total + '%' : '0';
    if (status && (busy || !(performance.now() < this.complainedUntil))) this.say(status);
  }

  download({ id, file }) {
    this.state.downloaded = id;
    const link = Object.assign(document.createElement('a'), { href: file.url, download: file.orig_name });
    link.click();
  }

  /** Hand a text over as a file. */
  save(text, name) {
    const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    Object.assign(document.createElement('a'), { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  showTitle() {
    const { name, duration, channels, sound_rate: rate, count, total, srr_db: srr } = this.state.scene;
    this.showAtomizer();
    this.find('name').textContent = name;
    this.find('facts').textContent = [duration.toFixed(1) + ' s', channels === 1 ? 'mono' : channels === 2 ? 'stereo' : channels + ' channels',
      +(rate / 1000).toFixed(2) + ' kHz', format.count(total) + (this.drawsFill ? ' MDCT atoms, which the fill works on' : ' atoms') + (srr === null || srr === undefined ? '' : ', ' + srr.toFixed(1) + ' dB') + (count < total ? ', the ' + format.count(count) + ' loudest drawn' : '')].join(' · ');
  }

  /** Whether the plane is that of a fill on top of matching-pursuit atoms: the MDCT's, in the place of theirs. */
  get drawsFill() { return isPursuit(this.state.base) && !isPursuit(this.state.scene); }

  /** The menu of the atoms says which ones are drawn. */
  showAtomizer() {
    const menu = this.find('atomizer');
    menu.querySelector('[value=fill]').hidden = !this.drawsFill;
    menu.value = this.drawsFill ? 'fill' : this.state.base.atomizer;
  }

  chooseAtomizer(name) {
    if (name === this.state.base.atomizer) return this.chooseVersion('original');   // they are there, below the fill
    return this.trigger('pursue', { name });
  }

  showChannels() {
    const choose = this.find('channels'), { channels } = this.state.scene;
    const only = Array.from({ length: channels }, (_, k) => new Option('channel ' + k + ' only', k));
    choose.replaceChildren(new Option('channels overlaid', 'overlaid'), new Option('channels stacked', 'stacked'), ...only);
    choose.hidden = channels === 1;
    this.state.channel = null;
    choose.value = this.picture.stacked && channels > 1 ? 'stacked' : 'overlaid';
  }

  say(text) { this.find('status').textContent = text; }

  /** Say what is wrong, and let nothing that Python says of earlier things talk over it. */
  complain(text) {
    this.say(text);
    this.complainedUntil = performance.now() + PATIENCE;
  }

  // ---------- player

  showPosition() {
    const at = this.player.position();
    this.picture.placeHead(at);
    this.find('time').textContent = format.clock(at) + ' / ' + format.clock(this.player.duration());
  }

  tick() {
    if (this.ticking) return;
    this.ticking = true;
    const next = () => {
      if (this.player.ended()) this.player.rewind();
      this.showPosition();
      this.ticking = this.player.playing;
      if (this.ticking) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  chooseVersion(version) {
    if (!this.player.buffers[version]) return;
    this.state.version = version;
    this.player.choose(version);
    this.showPlane();
    this.repaint();
    this.syncButtons();
  }

  /** Of a fill on top of matching-pursuit atoms: those are the original, and all else is shown as the atoms of the MDCT, which the fill knows. */
  async showPlane() {
    const { state } = this, { variation, base } = state;
    if (!isPursuit(base) || !variation || state.live) return;
    const scene = state.version === 'original' ? base : variation.scene;
    if (scene.id === state.scene.id) return;
    if (scene === base) await this.useScene(base);
    else await this.showResult(variation);
    this.repaint();
  }

  orderOpened(open) {
    const button = this.root.querySelector('[data-version=first]');
    button.hidden = !open;
    if (!open) {
      if (this.state.version === 'first') this.chooseVersion('original');
      this.player.drop('first');
    } else {
      const made = this.orders.making || Promise.resolve();
      made.then(() => this.orders.open && this.chooseVersion('first'));
    }
    this.repaint();
    this.syncButtons();
  }

  // ---------- actions

  get actions() {
    const { state, picture, player, orders } = this, setTool = (tool) => this.setTool(tool);
    return {
      ...Object.fromEntries(TOOLS.map((tool) => [tool, () => setTool(tool)])),
      ...Object.fromEntries(Object.keys(VERSIONS).map((version) => [version, () => this.chooseVersion(version)])),
      fit: () => picture.fit(),
      closer: () => this.zoomBy(0.7), farther: () => this.zoomBy(1 / 0.7),
      scale: () => this.setScale(AXES[(AXES.indexOf(picture.scale) + 1) % AXES.length]),
      colour: () => {
        const colours = COLOURS.filter((colour) => colour !== 'scale' || isPursuit(state.base));
        this.setColour(colours[(colours.indexOf(state.colour) + 1) % colours.length]);
      },
      subtract: () => { state.op = state.op === 'add' ? 'subtract' : 'add'; },
      undo: () => this.stepBack(this.history.undo()), redo: () => this.stepBack(this.history.redo()),
      clear: () => { if (this.items.length) this.change([]); },
      remove: () => this.remove(state.active),
      invert: () => {
        const items = inverted(this.items);
        if (items) this.change(items);
        else this.complain('A random, quietest or loudest part cannot be inverted.');
      },
      preset: () => this.presets.add(),
      play: () => player.toggle(),
      playSelection: () => { player.silence(); player.start(this.selectedSpan() || [0, player.duration()]); },
      loop: () => { state.looping = !state.looping; player.loop(state.looping ? this.selectedSpan() || [0, player.duration()] : null); },
      match: () => player.setMatched(!player.matched),
      back: () => player.seek(player.position() - 1), ahead: () => player.seek(player.position() + 1),
      previous: () => this.stepVariation(-1), next: () => this.stepVariation(1),
      more: () => { this.root.dataset.more = this.root.dataset.more !== 'true'; },
      order: () => orders.setOpen(!orders.open),
      through: () => orders.toggle(),
      noise: () => this.trigger('noise', { id: state.variation.id }),
      adopt: () => this.trigger('adopt', { id: state.variation.id }),
      forget: () => this.trigger('forget', { id: state.variation.id }),
      revert: () => this.trigger('revert', {}),
      saveSelection: () => this.save(toFile(this.items, this.features()), 'selection.json'),
      loadSelection: () => this.find('selection-file').click(),
    };
  }

  async act(name) {
    if (!this.state.scene) return;
    await this.actions[name]();
    this.syncButtons();
  }

  stepVariation(step) {
    const id = neighbour(this.state.variations, this.state.variation && this.state.variation.id, step);
    if (id !== null) return this.chooseVariation(id, this.state.version === 'original' ? 'filled' : undefined);
    return undefined;
  }

  setTool(tool) {
    this.state.tool = tool;
    this.root.dataset.tool = tool;
    const brush = tool === 'brush' || tool === 'harmonics';
    this.find('brush-group').hidden = !brush;
    this.find('preset-group').hidden = brush;
    this.find('most-field').hidden = tool !== 'harmonics';
    this.overlay.showCursor(null);
    this.showRegions();
  }

  setScale(scale) {
    this.find('scale').value = scale;
    return this.picture.setScale(scale);
  }

  setColour(colour) {
    this.state.colour = colour;
    this.find('colour').value = colour;
    this.showLegend();
    this.repaint();
  }

  setChannels(value) {
    this.state.channel = /^\d+$/.test(value) ? Number(value) : null;
    const laid = this.picture.setStacked(value === 'stacked');
    this.repaint();
    return laid;
  }

  zoomBy(factor) {
    const { picture } = this, at = this.player.position(), inside = at > picture.t[0] && at < picture.t[1];
    const middle = { t: inside ? at : (picture.t[0] + picture.t[1]) / 2, f: picture.hertz((picture.u[0] + picture.u[1]) / 2) };
    return picture.zoom(middle, factor, 1);
  }

  /** The features that are ticked on the page, by the labels of their boxes. */
  features() {
    return [...document.querySelectorAll('#features input[type=checkbox]:checked')].map((box) => box.closest('[id^=feature-]').id.slice('feature-'.length));
  }

  async loadSelection(file) {
    try {
      const text = await file.text(), items = fromFile(text), wanted = JSON.parse(text).features;
      this.change(items);
      if (!Array.isArray(wanted)) return;
      for (const box of document.querySelectorAll('#features input[type=checkbox]')) {
        if (box.checked !== wanted.includes(box.closest('[id^=feature-]').id.slice('feature-'.length))) box.click();
      }
    } catch (error) {
      this.complain(error.message);
    }
  }

  export(kind) {
    const { state, picture } = this, version = state.version === 'first' ? 'original' : state.version;
    const whole = (span, all) => span.every((v, k) => Math.abs(v - all[k]) < 1e-6);
    const look = { scale: picture.scale, stacked: picture.stacked && state.scene.channels > 1, colour: state.colour, ordering: this.orders.name,
      reverse: this.orders.reverse, dark: picture.dark, seconds: whole(picture.t, picture.wholeTime) ? null : picture.t,
      hertz: whole(picture.u, picture.wholeUnits) ? null : picture.u.map((u) => Math.max(0, picture.hertz(u))) };
    this.say('Making the file …');
    this.trigger('export', { kind, version, variation: state.variation && state.variation.id, look });
  }

  syncButtons() {
    const { state, picture, player, history, orders } = this;
    const pressed = { subtract: state.op === 'subtract', loop: state.looping, match: player.matched, order: orders.open, more: this.root.dataset.more === 'true' };
    const off = { undo: !history.past.length, redo: !history.future.length, clear: !this.items.length, play: !player.buffers.original,
      noise: state.busy || !state.variation, adopt: state.busy || !state.variation, forget: state.busy || !state.variation, revert: state.busy };
    for (const button of this.root.querySelectorAll('[data-act]')) {
      const name = button.dataset.act;
      if (button.hasAttribute('aria-pressed')) button.setAttribute('aria-pressed', String(!!pressed[name]));
      if (button.getAttribute('role') === 'radio') button.setAttribute('aria-checked', String(state.tool === name));
      button.disabled = !state.scene || !!off[name];
    }
    for (const button of this.root.querySelectorAll('[data-version]')) {
      const { version } = button.dataset;
      button.setAttribute('aria-checked', String(state.version === version));
      button.disabled = !player.buffers[version];
    }
    for (const button of this.root.querySelectorAll('[data-export]')) button.disabled = !state.scene;
    this.find('atomizer').disabled = !state.scene || state.busy;
    const which = state.variation && ['filled', 'change'].includes(state.version) ? ' ' + state.variation.label : '';
    for (const kind of ['npz', 'csv']) this.find('size-' + kind).textContent = state.scene ? 'about ' + format.bytes(sizeOf(kind, state.scene)) : '';
    this.find('export-what').textContent = VERSIONS[state.version] + which;
    this.root.querySelector('[data-version=filled]').textContent = state.variation && state.variations.length > 1 ? 'Filled ' + state.variation.label : 'Filled';
    this.find('play-label').textContent = player.playing ? 'Pause' : 'Play';
    this.find('play-icon').setAttribute('d', player.playing ? 'M5 4h3.500v12H5zM11.500 4H15v12h-3.500z' : 'M6 4l10 6-10 6z');
    this.find('through').textContent = orders.running ? 'Pause' : 'Play through';
    this.root.dataset.stacked = picture.stacked;
  }

  // ---------- events

  listen() {
    const { root, find } = this;
    root.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (!button) return;
      const { act, version, remove, chip, variation, export: kind } = button.dataset;
      if (act) this.act(act);
      else if (version) this.chooseVersion(version);
      else if (remove) this.remove(Number(remove));
      else if (chip) this.chooseItem(Number(chip));
      else if (variation) this.chooseVariation(Number(variation), this.state.version === 'original' ? 'filled' : undefined);
      else if (kind) this.export(kind);
      if (kind || (act && button.closest('.menu'))) find('export-menu').open = false;
    });
    document.addEventListener('click', (event) => {
      const opener = event.target.closest('[data-open]');
      if (opener) find(opener.dataset.open).showModal();
      const menu = find('export-menu');
      if (menu.open && !menu.contains(event.target)) menu.open = false;
    });
    for (const dialog of root.querySelectorAll('dialog')) dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    find('atomizer').append(...Object.entries({ ...this.config.atomizers, fill: 'MDCT, of the fill' }).map(([name, text]) => new Option(text, name)));
    find('atomizer').addEventListener('change', (event) => this.chooseAtomizer(event.target.value));
    find('scale').addEventListener('change', (event) => this.setScale(event.target.value));
    find('colour').addEventListener('change', (event) => this.setColour(event.target.value));
    find('channels').addEventListener('change', (event) => this.setChannels(event.target.value));
    find('volume').addEventListener('input', (event) => this.player.setVolume((event.target.value / 100) ** 2));
    find('selection-file').addEventListener('change', (event) => {
      if (event.target.files[0]) this.loadSelection(event.target.files[0]);
      event.target.value = '';
    });
    document.addEventListener('keydown', (event) => this.key(event));
    // the space bar plays: a button that was clicked, not reached by keys, does not keep it for itself
    document.addEventListener('click', (event) => { if (event.detail) event.target.closest('#fill, #stories button')?.blur(); });
  }

  key(event) {
    // keys work wherever nothing else is being typed or pressed
    const { root } = this, inside = root.contains(event.target), { target } = event, typing = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
    if (root.querySelector('dialog[open]') || (!inside && target !== document.body)) return;
    if (typing) {
      if (event.key === 'Enter' && target.closest('.presets')) this.act('preset');
      if (target.type !== 'range' && target.type !== 'checkbox') return;
      if (/^Arrow|^ $|Enter|Home|End|Page/.test(event.key)) return;
    }
    if (target.getAttribute('role') === 'radio' && /^Arrow/.test(event.key)) return this.arrowRadio(event);
    if ((event.key === ' ' || event.key === 'Enter') && /^(BUTTON|SUMMARY|A)$/.test(target.tagName)) return undefined;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (arrow && (this.state.tool === 'move' || target.dataset.chip !== undefined)) {
      if (this.nudge(...arrow, event.shiftKey)) event.preventDefault();
      return undefined;
    }
    if (event.key === 'Escape' && this.find('export-menu').open) { this.find('export-menu').open = false; return undefined; }
    const action = actionOf(event);
    if (!action) return undefined;
    event.preventDefault();
    if (action === 'keys') return this.find('keys').showModal();
    return this.act(action);
  }

  /** Arrows walk through a group of radio buttons. */
  arrowRadio(event) {
    const group = event.target.closest('[role=radiogroup]'), all = [...group.querySelectorAll('[role=radio]:not([disabled]):not([hidden])')];
    const step = /Right|Down/.test(event.key) ? 1 : -1, next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    event.preventDefault();
    next.focus();
    next.click();
    return undefined;
  }
}
