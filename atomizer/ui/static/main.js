// The component: it owns the selection, and wires messages, tools, keys, player and picture together.

import { amplitudesOf, decibelsOf, FILLED, UNKNOWN } from './plot/atoms.js';
import { ExcerptPicker } from './panels/excerpt.js';
import { areTicked, lookOf, readSelection, saveSelection, tickFeatures } from './util/files.js';
import * as format from './util/format.js';
import { History } from './state/history.js';
import { Keeper } from './state/persistence.js';
import { actionOf, showSheet } from './panels/shortcuts.js';
import { legendOf, paintKinds } from './plot/colouring.js';
import { bytesOf, Messages } from './state/messages.js';
import { OrderPanel } from './panels/order_panel.js';
import { Overlay } from './plot/overlay.js';
import { Palette } from './plot/palette.js';
import { Picture } from './plot/picture.js';
import { Player } from './audio/player.js';
import { PresetEditor } from './panels/preset_editor.js';
import { Eraser } from './audio/masked_preview.js';
import { extentOf, isPursuit } from './plot/pursuit.js';
import { forPython, inverted, nameOf, outOfReach, readout, spanOf } from './state/selection.js';
import { nudged, Pointer, TOOLS } from './tools/pointer.js';
import { metricsOf, neighbour } from './panels/variations.js';
import { sizeOf } from './util/file_sizes.js';

const VERSIONS = {
  original: 'The original',
  masked: 'Masked',
  filled: 'Filled',
  change: 'The change',
  first: 'The original',
};
const PATIENCE = 6000,
  SETTLED = 120; // milliseconds
const LOUDNESS = ['velocity', 'sign']; // what is unknown of an atom that is erased
const COLOURS = ['sign', 'state', 'channel', 'rank', 'scale'],
  AXES = ['log', 'linear', 'mel'];

export async function mount({ element, props, trigger, watch, config }) {
  const root = element.querySelector('.atom-view');
  if (root.atomView) return;
  const view = new View(root, config, { props, trigger });
  root.atomView = view; // for tests and for the curious
  await view.picture.open();
  await view.messages.recall();
  watch('value', () => view.messages.receive());
  root.dataset.ready = 'true';
  await view.messages.receive();
}

class View {
  constructor(root, config, { props, trigger }) {
    Object.assign(this, {
      root,
      config,
      props,
      trigger,
      find: (name) => root.querySelector('[data-name="' + name + '"]'),
    });
    const { find } = this;
    this.history = new History([]);
    this.keeper = new Keeper();
    this.messages = new Messages(this);
    this.state = {
      scene: null,
      original: null,
      shown: null,
      base: null,
      partBits: null,
      variations: [],
      variation: null,
      live: null,
      busy: false,
      tool: 'box',
      op: 'add',
      channel: null,
      colour: 'sign',
      version: 'original',
      looping: false,
      active: -1,
      preview: null,
      messageNumber: 0,
      steps: 0,
      aliases: new Map(),
      scenes: new Map(),
      left: false,
      worked: new Map(),
      resumed: null,
      readout: null,
      feedbackMilliseconds: 0,
    };
    this.palette = new Palette(config.palette);
    this.player = new Player(() => {
      this.syncButtons();
      this.showPosition();
      if (this.player.playing) this.tick();
    });
    this.picture = new Picture(
      {
        stage: find('stage'),
        plot: find('plot'),
        canvas: find('canvas'),
        playhead: find('playhead'),
      },
      this.palette,
      {
        moved: () => this.moved(),
        rethemed: () => {
          this.showLegend();
          this.orders.drawCurves();
        },
      },
    );
    this.overlay = new Overlay(find('overlay'), this.picture);
    this.orders = new OrderPanel(find, config.orderings, this.player, {
      changed: () => this.repaint(),
      opened: (open) => this.orderOpened(open),
      dark: () => this.picture.dark,
      version: (version) => this.chooseVersion(version),
      through: () => this.syncButtons(),
    });
    this.eraser = new Eraser(this.player, {
      chosen: () => this.state.variation === null && !this.state.live,
      gone: () => this.chooseVersion('original'),
      erases: () => areTicked(LOUDNESS),
    });
    this.presets = new PresetEditor(find, {
      duration: () => this.picture.duration,
      channels: () => (this.state.scene ? this.state.scene.channels : 1),
      add: (item) => this.add(this.scoped(item)),
      replace: (item, key) => this.replaceActive(item, key),
      complain: (text) => this.complain(text),
    });
    this.excerpt = new ExcerptPicker(find, {
      files: bytesOf,
      taken: (excerpt) => this.takeExcerpt(excerpt),
    });
    this.pointer = new Pointer(find('stage'), this.picture, {
      tool: () => this.state.tool,
      items: () => this.items,
      radius: () => Number(find('radius').value),
      most: () => Number(find('most').value) || 16,
      op: (event) => (event.altKey ? 'subtract' : this.state.op),
      preview: (item, index) => this.preview(item, index),
      add: (item) => this.add(this.scoped(item)),
      edit: (index, item) =>
        this.change(
          this.items.map((old, k) => (k === index ? item : old)),
          { active: index },
        ),
      choose: (index) => this.chooseItem(index),
      seek: (seconds) => this.player.seek(seconds),
      press: () => this.hideTip(),
      hover: (point) => this.hover(point),
      frame: (a, b) => this.overlay.showFrame(a, b),
    });
    this.listen();
    showSheet(find('keys-list'));
    this.showLegend();
    this.syncButtons();
  }

  get items() {
    return this.history.value;
  }

  // ---------- what is drawn

  /** Whether the selection is other than the one that the shown variation answers. */
  get pending() {
    const answer = this.state.live || this.state.variation;
    return !answer || !this.answers(answer);
  }

  /** Whether a fill is one of what is selected. */
  answers({ key }) {
    const mine = forPython(this.items).key;
    return (
      key === mine || this.state.aliases.get(key) === mine || (key === '' && !this.items.length)
    );
  }

  repaint() {
    const { state } = this,
      version = state.live ? 'filled' : state.version; // a fill is watched, whatever is heard
    if (!state.original) return;
    const atoms =
      state.shown && (version === 'filled' || version === 'masked' || version === 'change')
        ? state.shown
        : state.original;
    const look = {
      colour: state.colour,
      version: atoms === state.original && version !== 'first' ? 'original' : version,
      channel: state.channel,
      pending: this.pending,
      ranks: state.colour === 'rank' || version === 'first' ? this.orders.ranks() : null,
      first: version === 'first' ? this.orders.first : null,
    };
    paintKinds(atoms, look, this.palette.index, this.palette.ranks);
    this.picture.atoms = atoms;
    this.picture.redraw();
  }

  showRegions() {
    const items =
      this.state.preview && this.state.preview.index < 0
        ? [...this.items, this.state.preview.item]
        : this.items.map((item, k) =>
            this.state.preview && this.state.preview.index === k ? this.state.preview.item : item,
          );
    this.overlay.draw(items, this.state.active, this.state.tool === 'move');
  }

  showLegend() {
    const { state, palette } = this,
      kinds = legendOf(
        state.colour,
        state.scene ? state.scene.channels : 1,
        palette.ranks,
        (state.scene || {}).scales,
      );
    const floor = format.decibels(state.scene ? state.scene.floor_db : -82);
    this.find('legend').replaceChildren(
      ...kinds.map(([kind, text]) => {
        const label = document.createElement('span'),
          swatch = document.createElement('i');
        swatch.style.background = palette.gradient(kind, this.picture.dark);
        label.append(swatch, text);
        return label;
      }),
    );
    this.find('legend').title = 'Velocity: each bar runs from ' + floor + ' to the loudest atom';
  }

  hover(point) {
    const { state } = this,
      brush = ['brush', 'harmonics'].includes(state.tool);
    this.overlay.showCursor(brush ? point : null, Number(this.find('radius').value));
    state.pointer = point;
    if (!this.hovering)
      this.hovering = requestAnimationFrame(() => {
        this.hovering = 0;
        this.showTip();
      });
  }

  /** The picture was drawn anew. */
  moved() {
    const { t, u } = this.picture,
      seen = [...t, ...u].join();
    if (seen !== this.seen) this.hideTip(); // another atom lies there
    this.seen = seen;
    this.showPosition();
    this.showRegions();
  }

  hideTip() {
    this.state.pointer = null;
    this.find('tip').hidden = true;
  }

  showTip() {
    const { state, picture } = this,
      tip = this.find('tip'),
      point = state.pointer,
      i = point && picture.scene ? picture.atomAt(point) : -1;
    tip.hidden = i < 0;
    if (i < 0) return;
    tip.replaceChildren(
      ...this.describe(picture.atoms, i).map((line, k) =>
        Object.assign(document.createElement(k ? 'span' : 'b'), { textContent: line }),
      ),
    );
    const right = point.x > picture.left + picture.width - 190,
      low = point.y > picture.stage.clientHeight - 120;
    Object.assign(tip.style, {
      left: right ? '' : point.x + 14 + 'px',
      right: right ? picture.stage.clientWidth - point.x + 14 + 'px' : '',
      top: low ? '' : point.y + 12 + 'px',
      bottom: low ? picture.stage.clientHeight - point.y + 12 + 'px' : '',
    });
  }

  /** Lines about an atom: place and pitch, velocity and sign, rank. */
  describe(atoms, i) {
    const { state } = this,
      f = atoms.scale ? extentOf(state.scene, atoms, i).f : this.picture.axes.hertz[atoms.bin[i]],
      source = atoms.source ? atoms.source[i] : i;
    const status =
      atoms.state[i] === FILLED
        ? 'filled in'
        : atoms.state[i] === UNKNOWN || (this.pending && atoms.selected[i])
          ? 'unknown'
          : '';
    const rank =
      source >= 0 && this.orders.rankArray && this.orders.rankedAtoms === state.original
        ? this.orders.rankArray[source]
        : null;
    const scale = atoms.scale
      ? [format.count(state.scene.scales[atoms.scale[i]]) + ' samples long']
      : [];
    return [
      format.hertz(f) + '  ' + format.note(f),
      (atoms.frame[i] * this.picture.axes.perFrame).toFixed(3) +
        ' s' +
        (state.scene.channels > 1
          ? ' · ' + format.channel(atoms.channel[i], state.scene.channels)
          : ''),
      format.decibels(decibelsOf(atoms.velocity[i], state.scene)) +
        ' · sign ' +
        (atoms.sign[i] ? '+' : '−') +
        (status ? ' · ' + status : ''),
      ...scale,
      ...(rank === null
        ? []
        : [
            'rank ' +
              format.count(rank + 1) +
              ' by ' +
              this.orders.name +
              (this.orders.reverse ? ', reversed' : ''),
          ]),
    ];
  }

  // ---------- the selection

  /** A region for the channel that is shown alone, where it names none itself. */
  scoped(item) {
    return this.state.channel === null || item.part || item.channels
      ? item
      : { ...item, channels: [this.state.channel] };
  }

  add(item) {
    if (forPython([...this.items, item]).regions.length > this.config.maxRegions) {
      this.preview(null, -1);
      return this.complain(
        'That is more than ' +
          this.config.maxRegions +
          ' regions, the most that a selection has: clear some first, or paint fewer partials.',
      );
    }
    const spared = outOfReach(this.items, item);
    if (spared !== 'nothing')
      this.complain(
        'Nothing can be taken away from a random, quietest, loudest or kept part, only from regions.',
      );
    if (spared === 'all') return this.preview(null, -1);
    return this.change([...this.items, item], { active: this.items.length });
  }

  /** The active item takes another form: a preset's value is being changed. */
  replaceActive(item, key) {
    const { active } = this.state;
    if (active < 0) return;
    const old = this.items[active];
    this.change(
      this.items.map((it, k) =>
        k === active ? { ...item, ...(old.op && !item.part ? { op: old.op } : {}) } : it,
      ),
      { active, key: key + active },
    );
  }

  change(items, { active = -1, key = null } = {}) {
    this.history.push(items, key);
    this.state.active = active;
    this.selected();
  }

  stepBack(done) {
    if (!done) return;
    this.state.active = -1;
    this.selected({ again: true });
  }

  /** The selection has changed: show it, and tell Python, once of quick changes. `again`: it is one that was there before. */
  selected({ again = false } = {}) {
    this.adopt();
    this.keeper.select(this.items);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.messages.followSelection(again);
      this.eraser.listen(this.state);
      this.trigger('selected');
    }, SETTLED);
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
    const ended = this.state.preview && !item;
    this.state.preview = item ? { item, index } : null;
    this.mark(
      !item
        ? this.items
        : index < 0
          ? [...this.items, item]
          : this.items.map((old, k) => (k === index ? item : old)),
    );
    this.showRegions();
    if (ended) this.eraser.listen(this.state); // what was only begun to be drawn may have been taken for selected
  }

  mark(items) {
    const { state } = this,
      began = performance.now();
    if (!state.scene) return;
    state.cells.set(items);
    const parts =
      state.partBits && state.partBits.key === this.partsKey() && state.scene === state.base
        ? state.partBits.bits
        : null;
    state.cells.mark(state.original, parts);
    if (state.shown) state.cells.mark(state.shown, null);
    state.readout = readout(
      state.original,
      amplitudesOf(state.original, state.scene),
      this.picture.axes,
      state.scene.energy,
    );
    this.showReadout();
    this.repaint();
    state.feedbackMilliseconds = performance.now() - began;
    this.root.dataset.selected = state.readout ? state.readout.count : 0;
  }

  partsKey() {
    return JSON.stringify(forPython(this.items).specs);
  }

  showReadout() {
    const { readout: found } = this.state,
      nothing =
        this.items.length || this.state.preview
          ? 'No audible atom is selected'
          : 'Nothing is selected';
    this.find('readout').textContent = !found
      ? nothing
      : [
          format.span(found.t, format.seconds),
          format.span(found.f, format.hertz),
          format.count(found.count) + ' atoms',
          format.percent(found.energy) + ' of the energy',
        ].join(' · ');
  }

  selectedSpan() {
    return spanOf(this.items, this.player.duration());
  }

  chooseItem(index) {
    this.state.active = index;
    this.showChips();
    this.presets.follow(this.items[index]);
    this.showRegions();
    this.syncButtons();
  }

  showChips() {
    const list = this.find('chips'),
      focused = list.contains(document.activeElement) ? document.activeElement.dataset.chip : null;
    list.replaceChildren(
      ...this.items.flatMap((item, index) => {
        const chip = document.createElement('span'),
          choose = document.createElement('button'),
          remove = document.createElement('button');
        const name = nameOf(item, this.state.scene ? this.state.scene.channels : 1);
        chip.className =
          'chip' +
          (item.op === 'subtract' ? ' subtract' : '') +
          (index === this.state.active ? ' active' : '');
        Object.assign(choose, {
          type: 'button',
          textContent: (item.op === 'subtract' ? '− ' : '') + name,
          title: 'Choose it: arrows move it, Delete removes it',
        });
        choose.dataset.chip = index;
        choose.setAttribute('aria-pressed', String(index === this.state.active));
        Object.assign(remove, {
          type: 'button',
          textContent: '×',
          title: 'Remove this from the selection',
        });
        remove.setAttribute('aria-label', 'Remove ' + name);
        remove.dataset.remove = index;
        chip.append(choose, remove);
        return chip;
      }),
    );
    const again = focused !== null && list.querySelector('[data-chip="' + focused + '"]');
    if (again) again.focus();
  }

  remove(index) {
    if (this.items[index]) this.change(this.items.filter((_, k) => k !== index));
  }

  /** An arrow key moves, or resizes, the active region; false where there is none. */
  nudge(across, along, resize) {
    const { active } = this.state,
      item = this.items[active];
    if (!item || item.part || item.everything) return false;
    const next = nudged(item, across, along, resize, this.picture);
    if (next)
      this.change(
        this.items.map((old, k) => (k === active ? next : old)),
        { active, key: 'nudge ' + active },
      );
    return true;
  }

  // ---------- the sound

  takeExcerpt({ start, seconds }) {
    this.say('Reading the excerpt …');
    this.trigger('excerpt', { start, seconds });
  }

  showTitle() {
    const {
      name,
      duration,
      channels,
      sound_rate: rate,
      count,
      total,
      srr_db: srr,
    } = this.state.scene;
    this.showAtomizer();
    this.find('name').textContent = name;
    this.find('facts').textContent = [
      duration.toFixed(1) + ' s',
      channels === 1 ? 'mono' : channels === 2 ? 'stereo' : channels + ' channels',
      +(rate / 1000).toFixed(2) + ' kHz',
      format.count(total) +
        (this.drawsFill ? ' MDCT atoms, which the fill works on' : ' atoms') +
        (srr === null || srr === undefined ? '' : ', ' + srr.toFixed(1) + ' dB') +
        (count < total ? ', the ' + format.count(count) + ' loudest drawn' : ''),
    ].join(' · ');
  }

  /** Whether the plane is that of a fill on top of matching-pursuit atoms: the MDCT's, in the place of theirs. */
  get drawsFill() {
    return isPursuit(this.state.base) && !isPursuit(this.state.scene);
  }

  /** The menu of the atoms says which ones are drawn. */
  showAtomizer() {
    const menu = this.find('atomizer');
    menu.querySelector('[value=fill]').hidden = !this.drawsFill;
    menu.value = this.drawsFill ? 'fill' : this.state.base.atomizer;
  }

  chooseAtomizer(name) {
    if (name === this.state.base.atomizer) return this.chooseVersion('original'); // they are there, below the fill
    return this.trigger('pursue', { name });
  }

  showChannels() {
    const choose = this.find('channels'),
      { channels } = this.state.base;
    const only = Array.from(
      { length: channels },
      (_, k) => new Option(format.channel(k, channels) + ' only', k),
    );
    choose.replaceChildren(
      new Option('channels overlaid', 'overlaid'),
      new Option('channels stacked', 'stacked'),
      ...only,
    );
    choose.hidden = channels === 1;
    this.state.channel = null;
    choose.value = this.picture.stacked && channels > 1 ? 'stacked' : 'overlaid';
  }

  say(text) {
    this.find('status').textContent = text;
  }

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
    this.messages.showPlane();
    this.repaint();
    this.syncButtons();
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
    const { state, picture, player, orders } = this,
      setTool = (tool) => this.setTool(tool);
    return {
      ...Object.fromEntries(TOOLS.map((tool) => [tool, () => setTool(tool)])),
      ...Object.fromEntries(
        Object.keys(VERSIONS).map((version) => [version, () => this.chooseVersion(version)]),
      ),
      fit: () => picture.fit(),
      closer: () => this.zoomBy(0.7),
      farther: () => this.zoomBy(1 / 0.7),
      scale: () => this.setScale(AXES[(AXES.indexOf(picture.scale) + 1) % AXES.length]),
      colour: () => {
        const colours = COLOURS.filter((colour) => colour !== 'scale' || isPursuit(state.base));
        this.setColour(colours[(colours.indexOf(state.colour) + 1) % colours.length]);
      },
      subtract: () => {
        state.op = state.op === 'add' ? 'subtract' : 'add';
      },
      undo: () => this.stepBack(this.history.undo()),
      redo: () => this.stepBack(this.history.redo()),
      clear: () => {
        if (this.items.length) this.change([]);
      },
      remove: () => this.remove(state.active),
      invert: () => {
        const items = inverted(this.items);
        if (items) this.change(items);
        else this.complain('A random, quietest or loudest part cannot be inverted.');
      },
      preset: () => this.presets.add(),
      play: () => player.toggle(),
      playSelection: () => {
        player.silence();
        player.start(this.selectedSpan() || [0, player.duration()]);
      },
      loop: () => {
        state.looping = !state.looping;
        player.loop(state.looping ? this.selectedSpan() || [0, player.duration()] : null);
      },
      match: () => player.setMatched(!player.matched),
      back: () => player.seek(player.position() - 1),
      ahead: () => player.seek(player.position() + 1),
      previous: () => this.stepVariation(-1),
      next: () => this.stepVariation(1),
      more: () => {
        this.root.dataset.more = this.root.dataset.more !== 'true';
      },
      order: () => orders.setOpen(!orders.open),
      through: () => orders.toggle(),
      noise: () => this.trigger('noise', { id: state.variation.id }),
      adopt: () => this.trigger('adopt', { id: state.variation.id }),
      forget: () => this.trigger('forget', { id: state.variation.id }),
      revert: () => this.trigger('revert', {}),
      saveSelection: () => saveSelection(this.items),
      loadSelection: () => this.find('selection-file').click(),
    };
  }

  async act(name) {
    if (!this.state.scene) return;
    await this.actions[name]();
    this.syncButtons();
  }

  stepVariation(step) {
    const id = neighbour(
      this.state.variations,
      this.state.variation && this.state.variation.id,
      step,
    );
    return id === null ? undefined : this.openVariation(id);
  }

  /** Show a variation that was asked for, and say what it is. */
  async openVariation(id) {
    const { state } = this;
    let shown = false;
    try {
      shown = await this.messages.chooseVariation(
        id,
        state.version === 'original' ? 'filled' : undefined,
      );
    } catch (error) {
      this.complain('This variation cannot be shown: ' + error.message);
    }
    if (shown && state.variation && !state.busy)
      this.say(
        state.variation.label + ': ' + state.variation.title + ', ' + metricsOf(state.variation),
      );
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
    const { picture } = this,
      at = this.player.position(),
      inside = at > picture.t[0] && at < picture.t[1];
    const middle = {
      t: inside ? at : (picture.t[0] + picture.t[1]) / 2,
      f: picture.hertz((picture.u[0] + picture.u[1]) / 2),
    };
    return picture.zoom(middle, factor, 1);
  }

  async loadSelection(file) {
    try {
      const { items, features } = await readSelection(file);
      this.change(items);
      if (features) tickFeatures(features);
    } catch (error) {
      this.complain(error.message);
    }
  }

  /** The version that is exported: what only the page makes is none. */
  get exported() {
    const { version, variation } = this.state;
    return version === 'first' || (version === 'masked' && !variation) ? 'original' : version;
  }

  export(kind) {
    const { state } = this,
      version = this.exported;
    this.say('Making the file …');
    this.trigger('export', {
      kind,
      version,
      variation: state.variation && state.variation.id,
      look: lookOf(this),
    });
  }

  syncButtons() {
    const { state, picture, player, history, orders } = this;
    const pressed = {
      subtract: state.op === 'subtract',
      loop: state.looping,
      match: player.matched,
      order: orders.open,
      more: this.root.dataset.more === 'true',
    };
    const off = {
      undo: !history.past.length,
      redo: !history.future.length,
      clear: !this.items.length,
      play: !player.buffers.original,
      noise: state.busy || !state.variation,
      adopt: state.busy || !state.variation,
      forget: state.busy || !state.variation,
      revert: state.busy,
    };
    for (const button of this.root.querySelectorAll('[data-act]')) {
      const name = button.dataset.act;
      if (button.hasAttribute('aria-pressed'))
        button.setAttribute('aria-pressed', String(!!pressed[name]));
      if (button.getAttribute('role') === 'radio')
        button.setAttribute('aria-checked', String(state.tool === name));
      button.disabled = !state.scene || !!off[name];
    }
    for (const button of this.root.querySelectorAll('[data-version]')) {
      const { version } = button.dataset;
      button.setAttribute('aria-checked', String(state.version === version));
      button.disabled = !player.buffers[version];
    }
    for (const button of this.root.querySelectorAll('[data-export]'))
      button.disabled = !state.scene;
    this.find('atomizer').disabled = !state.scene || state.busy;
    const which =
      state.variation && ['filled', 'change'].includes(state.version)
        ? ' ' + state.variation.label
        : '';
    for (const kind of ['npz', 'csv'])
      this.find('size-' + kind).textContent = state.scene
        ? 'about ' + format.bytes(sizeOf(kind, state.scene))
        : '';
    this.find('export-what').textContent = VERSIONS[this.exported] + which;
    const making = !!this.eraser.making && !player.buffers.masked && this.items.length > 0;
    this.root.querySelector('[data-version=masked]').textContent = making ? 'Masked …' : 'Masked';
    this.root.querySelector('[data-version=filled]').textContent =
      state.variation && state.variations.length > 1 ? 'Filled ' + state.variation.label : 'Filled';
    this.find('play-label').textContent = player.playing ? 'Pause' : 'Play';
    this.find('play-icon').setAttribute(
      'd',
      player.playing ? 'M5 4h3.500v12H5zM11.500 4H15v12h-3.500z' : 'M6 4l10 6-10 6z',
    );
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
      else if (variation) this.openVariation(Number(variation));
      else if (kind) this.export(kind);
      if (kind || (act && button.closest('.menu'))) find('export-menu').open = false;
    });
    document.addEventListener('click', (event) => {
      const opener = event.target.closest('[data-open]');
      if (opener) find(opener.dataset.open).showModal();
      const menu = find('export-menu');
      if (menu.open && !menu.contains(event.target)) menu.open = false;
    });
    for (const dialog of root.querySelectorAll('dialog'))
      dialog.addEventListener('click', (event) => {
        if (event.target === dialog) dialog.close();
      });
    find('atomizer').append(
      ...Object.entries({ ...this.config.atomizers, fill: 'MDCT, of the fill' }).map(
        ([name, text]) => new Option(text, name),
      ),
    );
    find('atomizer').addEventListener('change', (event) => this.chooseAtomizer(event.target.value));
    find('scale').addEventListener('change', (event) => this.setScale(event.target.value));
    find('colour').addEventListener('change', (event) => this.setColour(event.target.value));
    find('channels').addEventListener('change', (event) => this.setChannels(event.target.value));
    find('volume').addEventListener('input', (event) =>
      this.player.setVolume((event.target.value / 100) ** 2),
    );
    find('selection-file').addEventListener('change', (event) => {
      if (event.target.files[0]) this.loadSelection(event.target.files[0]);
      event.target.value = '';
    });
    document.addEventListener('change', (event) => {
      if (event.target.closest('#features') && this.state.original) this.eraser.listen(this.state);
    });
    document.addEventListener('keydown', (event) => this.key(event));
    // the space bar plays: a button that was clicked, not reached by keys, does not keep it for itself
    document.addEventListener('click', (event) => {
      if (event.detail) event.target.closest('#fill, #stop, #examples button, #view button')?.blur();
    });
  }

  key(event) {
    // keys work wherever nothing else is being typed or pressed
    const { root } = this,
      inside = root.contains(event.target),
      { target } = event,
      typing = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
    if (root.querySelector('dialog[open]') || (!inside && target !== document.body)) return;
    if (typing) {
      if (event.key === 'Enter' && target.closest('.presets')) this.act('preset');
      if (target.type !== 'range' && target.type !== 'checkbox') return;
      if (/^Arrow|^ $|Enter|Home|End|Page/.test(event.key)) return;
    }
    if (target.getAttribute('role') === 'radio' && /^Arrow/.test(event.key))
      return this.arrowRadio(event);
    if ((event.key === ' ' || event.key === 'Enter') && /^(BUTTON|SUMMARY|A)$/.test(target.tagName))
      return undefined;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[
      event.key
    ];
    if (arrow && (this.state.tool === 'move' || target.dataset.chip !== undefined)) {
      if (this.nudge(...arrow, event.shiftKey)) event.preventDefault();
      return undefined;
    }
    if (event.key === 'Escape' && this.find('export-menu').open) {
      this.find('export-menu').open = false;
      return undefined;
    }
    const action = actionOf(event);
    if (!action) return undefined;
    event.preventDefault();
    if (action === 'keys') return this.find('keys').showModal();
    return this.act(action);
  }

  /** Arrows walk through a group of radio buttons. */
  arrowRadio(event) {
    const group = event.target.closest('[role=radiogroup]'),
      all = [...group.querySelectorAll('[role=radio]:not([disabled]):not([hidden])')];
    const step = /Right|Down/.test(event.key) ? 1 : -1,
      next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    event.preventDefault();
    next.focus();
    next.click();
    return undefined;
  }
}
