// What is drawn: atoms in their colours, the legend and the title beside them, and the menus that
// change how they are drawn.

import { colourAtoms, legendEntries } from '../plot/colouring.js';
import { isPursuit } from '../plot/pursuit.js';
import { animateReveal, revealRanks } from '../state/reveal.js';
import { audibleCount, isFillPlane, isPending, searchOf, selectionOf } from '../state/selectors.js';
import { toolOf } from '../tools/registry.js';
import * as format from '../util/format.js';
import { showTooltip } from '../panels/tooltip.js';

/** @typedef {import('../types').PlanePoint} PlanePoint */
/** @typedef {import('../types').FrequencyScale} FrequencyScale */

const REDUCED_MOTION = '(prefers-reduced-motion: reduce)';

/** Draws the state of a view. */
export class Display {
  /** @param {import('../view.js').View} view */
  constructor(view) {
    this.view = view;
    /** @type {PlanePoint | null} */
    this.pointer = null;
    this.hoverFrame = 0;
    this.seenRange = '';
    this.endReveal = () => {};
  }

  /** Colour the atoms of the current version, and draw them. */
  repaint() {
    const { state, orders, palette } = this.view;
    if (!state.original) return;
    const version = state.live ? 'filled' : state.version; // a running fill is always shown
    const isFillShown = ['filled', 'masked', 'change'].includes(version);
    const atoms = state.shown && isFillShown ? state.shown : state.original;
    const isFirst = version === 'first';
    const style = {
      colour: state.colour,
      version: atoms === state.original && !isFirst ? 'original' : version,
      channel: state.channel,
      pending: isPending(state),
      ranks: state.colour === 'rank' || isFirst ? orders.ranks() : null,
      first: isFirst ? orders.first : null,
      revealed: atoms === state.shown ? state.revealed : null,
    };
    colourAtoms(atoms, style, palette.rows, palette.rankClasses);
    this.view.picture.atoms = atoms;
    this.showSources();
    this.view.picture.redraw();
  }

  /** Show what the fill that is shown was copied from. */
  showSources() {
    const { state } = this.view;
    const { live, variation, version } = state;
    // an addition to the sound is not in the way of a selection
    const isFillShown =
      !live &&
      ['filled', 'change'].includes(version) &&
      (variation?.key === '' || !isPending(state));
    if (isFillShown && variation) this.view.sources.show(variation.sources, selectionOf(variation));
    else this.view.sources.show([], []);
  }

  /** Let the filled-in atoms of the shown variation appear in its ordering. */
  reveal() {
    const { state } = this.view;
    const { shown, scene, variation } = state;
    this.endReveal();
    if (!shown || !scene || !variation || matchMedia(REDUCED_MOTION).matches) return;
    const { ranks, total } = revealRanks(shown, scene, variation.order, variation.reverse);
    this.endReveal = animateReveal(total, (count) => {
      const isOver = count === null || state.shown !== shown;
      this.view.store.set({ revealed: isOver ? null : { ranks, count } });
      this.repaint();
    });
  }

  /** Fields, cursor and regions follow the tool.
   * @param {string} id */
  showTool(id) {
    const { root, find, overlay } = this.view;
    const { isBrush, cursor } = toolOf(id);
    root.dataset.tool = id;
    find('stage').style.cursor = cursor;
    find('brush-group').hidden = !isBrush;
    find('preset-group').hidden = !!isBrush || id === 'wand';
    find('wand-group').hidden = id !== 'wand';
    find('max-partials-field').hidden = id !== 'harmonics';
    overlay.showCursor(null);
    this.showRegions();
  }

  showReadout() {
    const { readout, preview, items } = this.view.state;
    const hasItems = items.length > 0 || preview;
    this.view.find('readout').textContent = readout
      ? [
          format.span(readout.t, format.seconds),
          format.span(readout.f, format.hertz),
          format.count(readout.count) + ' atoms',
          format.percent(readout.energy) + ' of the energy',
        ].join(' · ')
      : hasItems
        ? searchOf(this.view.state) || 'No audible atoms are selected'
        : 'Nothing is selected';
  }

  showRegions() {
    this.view.overlay.draw(
      this.view.editor.previewedItems(),
      this.view.state.active,
      this.view.state.tool === 'move',
    );
  }

  showLegend() {
    const { state, palette, picture } = this.view;
    const entries = legendEntries(
      state.colour,
      format.channelNames(state.scene),
      palette.rankClasses,
      state.scene?.scales,
    );
    const legend = this.view.find('legend');
    legend.replaceChildren(
      ...entries.map(([name, text]) => {
        const label = document.createElement('span');
        const swatch = document.createElement('i');
        swatch.style.background = palette.gradient(name, picture.dark);
        label.append(swatch, text);
        return label;
      }),
    );
    const floor = format.decibels(state.scene ? state.scene.floor_db : -82);
    legend.title = 'Level: each bar runs from ' + floor + ' to the loudest atom';
  }

  /** Show the choice of colouring by scale for matching pursuit only. */
  showColourChoices() {
    /** @type {HTMLOptionElement | null} */
    const option = this.view.find('colour').querySelector('[value=scale]');
    if (option) option.hidden = !isPursuit(this.view.state.base);
  }

  /** @param {PlanePoint | null} point */
  hover(point) {
    const { isBrush } = toolOf(this.view.state.tool);
    this.view.overlay.showCursor(isBrush ? point : null, Number(this.view.find('radius').value));
    this.pointer = point;
    if (this.hoverFrame) return;
    this.hoverFrame = requestAnimationFrame(() => {
      this.hoverFrame = 0;
      showTooltip(this.view, this.pointer);
    });
  }

  hideTooltip() {
    this.pointer = null;
    this.view.find('tip').hidden = true;
  }

  pictureDrawn() {
    const { t, u } = this.view.picture;
    const range = [...t, ...u].join();
    if (range !== this.seenRange) this.hideTooltip(); // another atom is at the pointer
    this.seenRange = range;
    this.showWaveform();
    this.view.playback.showPosition();
    this.showRegions();
    this.view.sources.draw();
  }

  showWaveform() {
    const { buffers, version } = this.view.player;
    this.view.waveform.draw(buffers[version] ?? buffers.original);
  }

  showTitle() {
    const { state } = this.view;
    const { scene } = state;
    if (!scene) return;
    const { duration, channels, count, srr_db: srr } = scene;
    const total = audibleCount(state);
    this.view.find('name').textContent = scene.name;
    const facts = this.view.find('facts');
    facts.title = count < total ? 'The ' + format.count(count) + ' loudest are drawn' : '';
    const texts = [
      duration.toFixed(1) + ' s',
      channels === 1 ? 'mono' : channels === 2 ? 'stereo' : channels + ' channels',
      +(scene.sound_rate / 1000).toFixed(2) + ' kHz',
      format.count(total) +
        (isFillPlane(state) ? ' atoms (MDCT view of the fill)' : ' atoms') +
        (srr === null || srr === undefined ? '' : ', ' + srr.toFixed(1) + ' dB'),
    ];
    // each one does not wrap: it is there as a whole, or not
    const spans = texts.map((text, k) =>
      Object.assign(document.createElement('span'), { textContent: (k ? '· ' : '') + text }),
    );
    facts.replaceChildren(...spans.flatMap((span, k) => (k ? [' ', span] : [span])));
  }

  /** The menu of atoms shows which are drawn. */
  showAtomizer() {
    const menu = this.view.find('atomizer');
    /** @type {HTMLOptionElement | null} */
    const fill = menu.querySelector('[value=fill]');
    const isFill = isFillPlane(this.view.state);
    if (fill) fill.hidden = !isFill;
    menu.value = isFill ? 'fill' : (this.view.state.base?.atomizer ?? 'mdct');
  }

  /** @param {string} name */
  chooseAtomizer(name) {
    // the atoms of the sound are known already: only the fill hides them
    if (name === this.view.state.base?.atomizer) this.view.playback.chooseVersion('original');
    else this.view.trigger('pursue', { name });
  }

  showChannels() {
    this.view.root.dataset.channels = String(this.view.channels);
    const menu = this.view.find('channels');
    const { channels } = this.view;
    const single = format
      .channelNames(this.view.state.scene)
      .map((name, k) => new Option(name + ' only', String(k)));
    menu.replaceChildren(
      new Option('overlaid', 'overlaid'),
      new Option('stacked', 'stacked'),
      ...single,
    );
    this.view.find('channels-field').hidden = channels === 1;
    this.view.store.set({ channel: null });
    menu.value = this.view.picture.stacked && channels > 1 ? 'stacked' : 'overlaid';
  }

  /** @param {FrequencyScale} scale */
  setScale(scale) {
    this.view.find('scale').value = scale;
    return this.view.picture.setScale(scale);
  }

  /** @param {string} unit of the frequency axis, "hertz" or "notes" */
  setPitch(unit) {
    this.view.find('pitch').value = unit;
    return this.view.picture.setNotes(unit === 'notes');
  }

  /** @param {string} colour */
  setColour(colour) {
    this.view.store.set({ colour });
    this.view.find('colour').value = colour;
    this.repaint();
  }

  /** @param {string} value "overlaid", "stacked" or the number of a channel */
  setChannels(value) {
    this.view.store.set({ channel: /^\d+$/.test(value) ? Number(value) : null });
    const updated = this.view.picture.setStacked(value === 'stacked');
    this.repaint();
    return updated;
  }

  /** Zoom in time, around the playhead if it is visible.
   * @param {number} factor */
  zoomBy(factor) {
    const { picture } = this.view;
    const [from, to] = picture.t;
    const position = this.view.player.position();
    const isVisible = position > from && position < to;
    const centre = {
      t: isVisible ? position : (from + to) / 2,
      f: picture.hertz((picture.u[0] + picture.u[1]) / 2),
    };
    return picture.zoom(centre, factor, 1);
  }
}
