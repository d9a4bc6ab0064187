// Orderings by eye and ear: drag along one, see and hear its first n atoms, let it play through, and compare what n atoms are worth.

import { amplitudesOf } from '../plot/atoms.js';
import {
  countAt,
  countUntil,
  cumulated,
  order,
  ranksOf,
  stations,
  timeUntil,
  worth,
} from '../state/orderings.js';
import { Synthesiser } from '../audio/synthesis.js';
import { LINES } from '../plot/palette.js';
import { isPursuit, PursuitSynthesiser } from '../plot/pursuit.js';
import * as format from '../util/format.js';

const HEARD_EVERY = 180,
  LEAD = 0.6; // milliseconds between two sounds of a drag; seconds of a sound that comes from its end until it is played
const DASHES = {
  time: 'solid',
  frequency: 'dash',
  velocity: 'solid',
  channel: 'dot',
  random: 'dashdot',
};

export class OrderPanel {
  /**
   * find      function (name) -> element
   * names     of the orderings
   * player    Player
   * host      {changed(): the picture must be drawn anew, opened(open), dark()}
   */
  constructor(find, names, player, host) {
    Object.assign(this, {
      find,
      names,
      player,
      host,
      scene: null,
      open: false,
      name: 'velocity',
      reverse: false,
      place: 1000,
      cache: new Map(),
    });
    find('order-name').replaceChildren(...names.map((name) => new Option('by ' + name, name)));
    find('order-name').value = this.name;
    find('order-name').addEventListener('change', (event) =>
      this.choose(event.target.value, this.reverse),
    );
    find('order-reverse').addEventListener('change', (event) =>
      this.choose(this.name, event.target.checked),
    );
    find('order-place').addEventListener('input', (event) => {
      this.halt();
      this.go(Number(event.target.value));
    });
    find('order-curves').addEventListener('toggle', () => this.drawCurves());
  }

  /** The atoms of another scene. */
  show(scene, atoms) {
    if (this.atoms === atoms) return;
    this.halt();
    Object.assign(this, {
      scene,
      atoms,
      cache: new Map(),
      synthesiser: null,
      place: 1000,
      heard: null,
    });
    this.player.drop('first');
    if (this.open) this.enter();
  }

  get total() {
    return this.atoms ? this.atoms.count : 0;
  }
  get first() {
    return countAt(this.place, this.total, this.name);
  }

  permutation(name) {
    if (!this.cache.has(name)) {
      const found = order(this.atoms, name, this.scene);
      this.cache.set(name, { found, sums: cumulated(found, amplitudesOf(this.atoms, this.scene)) });
    }
    return this.cache.get(name);
  }

  /** Ranks of the scene's atoms in the chosen ordering. */
  ranks() {
    const key = this.name + this.reverse;
    if (this.ranked !== key || this.rankedAtoms !== this.atoms) {
      Object.assign(this, {
        ranked: key,
        rankedAtoms: this.atoms,
        rankArray: ranksOf(this.permutation(this.name).found, this.reverse),
      });
    }
    return this.rankArray;
  }

  setOpen(open) {
    if (open === this.open) return;
    this.open = open;
    this.halt();
    this.find('order').hidden = !open;
    if (open) this.enter();
    else this.heard = null; // the player forgets the sound
    this.host.opened(open);
  }

  enter() {
    if (!this.scene) return;
    this.write();
    this.drawCurves();
    this.listen();
  }

  choose(name, reverse) {
    this.halt();
    Object.assign(this, { name, reverse });
    this.find('order-name').value = name;
    this.find('order-reverse').checked = reverse;
    this.go(this.place);
    this.drawCurves();
  }

  /** Go to a place of the slider, 0 to 1000. */
  go(place) {
    this.place = Math.min(1000, Math.max(0, place));
    if (!this.scene) return;
    this.write();
    this.listen();
    this.host.changed();
  }

  write() {
    const { energy, snr } = worth(
        this.permutation(this.name).sums,
        this.first,
        this.reverse,
        this.scene.energy,
      ),
      n = this.first;
    const place = this.find('order-place');
    place.value = this.place;
    place.setAttribute('aria-valuetext', 'the first ' + format.count(n) + ' atoms');
    this.find('order-count').textContent =
      'first ' + format.count(n) + ' of ' + format.count(this.total) + ' atoms';
    // atoms of a pursuit are not orthogonal, so that the sum of their energies only tells about how much they are
    this.find('order-worth').textContent =
      (isPursuit(this.scene) ? 'SNR about ' : 'SNR ') +
      format.decibels(snr) +
      ' · ' +
      format.percent(energy) +
      ' of the energy';
    this.movePoint();
  }

  /** Make the sound of the first atoms; of several wishes in a row the last one counts, and some on the way. */
  listen() {
    this.wanted = true;
    this.making =
      this.making ||
      this.make().finally(() => {
        this.making = null;
      });
    return this.making;
  }

  async make() {
    while (this.wanted && this.open && this.scene) {
      this.wanted = false;
      // along the time, the playhead stays among the atoms that have come, and there their sound is that of all
      const { atoms } = this,
        n = this.running && this.name === 'time' ? this.total : this.first;
      const key = [this.name, this.reverse, n].join();
      if (this.heard === key) continue;
      this.synthesiser =
        this.synthesiser ||
        new (isPursuit(this.scene) ? PursuitSynthesiser : Synthesiser)(
          this.scene,
          atoms,
          amplitudesOf(atoms, this.scene),
        );
      const channels = await this.synthesiser.first(n, this.ranks());
      if (!channels || atoms !== this.atoms || !this.open) continue;
      this.heard = key;
      this.player.put('first', this.player.buffer(channels, this.scene.rate));
      this.player.onChange();
      await new Promise((done) => setTimeout(done, HEARD_EVERY));
    }
  }

  // play through

  toggle() {
    if (!this.running) return this.through();
    this.halt();
    if (this.name === 'time') this.player.pause(); // nothing is beyond
    return undefined;
  }

  /** Let the sound come into being while it plays: by time beside the playhead, otherwise in about as long as it lasts. */
  async through() {
    this.running = true;
    this.go(this.place >= 1000 ? 0 : this.place);
    this.host.through(true);
    await this.making;
    if (!this.running || !this.player.buffers.first) return this.halt();
    const step = this.name === 'time' ? this.alongTime() : this.alongOrdering(),
      next = () => {
        if (!this.running) return;
        this.go(step());
        if (this.place >= 1000) this.halt();
        else this.timer = setTimeout(next, 80);
      };
    this.player.silence();
    this.player.choose('first');
    this.host.version('first');
    next();
    return undefined;
  }

  /** Whether the player has come to its end: where a visitor paused it, it stands elsewhere. */
  get rests() {
    return !this.player.playing && this.player.offset === this.player.range()[0];
  }

  play(from) {
    this.player.offset = from;
    this.player.start();
  }

  /** Function -> the place that the playhead, or, from the end, the clock has reached in the ordering by time. */
  alongTime() {
    const { player, reverse, scene } = this,
      { frame } = this.atoms,
      { found } = this.permutation('time'),
      perFrame = scene.hop / scene.rate;
    const placeAt = (seconds) =>
      (1000 * countUntil(found, frame, perFrame, seconds, reverse)) / Math.max(1, this.total);
    const from = timeUntil(found, frame, perFrame, this.first, reverse, scene.duration),
      began = performance.now();
    let started = false;
    return () => {
      const edge = reverse ? from - (performance.now() - began) / 1000 : from;
      if (started && !reverse) return this.rests ? 1000 : placeAt(player.position() + perFrame);
      // what comes from its end is played again and again, each time from where it has come to
      if ((!started || this.rests) && (!reverse || scene.duration - edge > LEAD)) {
        this.play(Math.max(0, edge));
        started = true;
      }
      return reverse && edge <= 0 ? 1000 : placeAt(edge);
    };
  }

  /** Function -> the place that the clock has reached; what is too short is played again. */
  alongOrdering() {
    const { player, place: from } = this,
      lasts = Math.min(20, Math.max(5, this.scene.duration)),
      began = performance.now();
    player.offset = 0;
    let started = false;
    return () => {
      if (!started || this.rests) this.play(player.range()[0]);
      started = true;
      return from + (1000 - from) * ((performance.now() - began) / (1000 * lasts));
    };
  }

  halt() {
    if (!this.running) return;
    this.running = false;
    clearTimeout(this.timer);
    this.host.through(false);
    this.listen();
  }

  // curves

  get curvesShown() {
    return this.open && this.scene && this.find('order-curves').open;
  }

  async drawCurves() {
    if (!this.curvesShown) return;
    const at = stations(this.total),
      ink = this.host.dark() ? '#9aa3b5' : '#5b6475',
      grid = this.host.dark() ? 'rgba(255,255,255,.08)' : 'rgba(15,23,42,.08)',
      traces = [];
    for (const name of this.names) {
      const points = at.map((n) =>
        worth(this.permutation(name).sums, n, this.reverse, this.scene.energy),
      );
      const chosen = name === this.name,
        line = { color: LINES[name], width: chosen ? 3 : 1.5, dash: DASHES[name] },
        opacity = chosen ? 1 : 0.75;
      traces.push(
        {
          x: at,
          y: points.map((p) => p.snr),
          name,
          line,
          opacity,
          mode: 'lines',
          hovertemplate: '%{x:,} atoms: %{y:.1f} dB',
          legendgroup: name,
        },
        {
          x: at,
          y: points.map((p) => 100 * p.energy),
          name,
          line,
          opacity,
          mode: 'lines',
          yaxis: 'y2',
          hovertemplate: '%{x:,} atoms: %{y:.1f} %',
          showlegend: false,
          legendgroup: name,
        },
      );
      await new Promise((done) => setTimeout(done)); // five sorts of all atoms: let the page breathe between them
      if (!this.curvesShown) return;
    }
    const marker = {
      color: LINES[this.name],
      size: 10,
      line: { color: this.host.dark() ? '#fff' : '#0f172a', width: 1.5 },
    };
    for (const yaxis of ['y', 'y2'])
      traces.push({
        x: [1],
        y: [0],
        mode: 'markers',
        marker,
        yaxis,
        showlegend: false,
        hoverinfo: 'skip',
      });
    const axis = { gridcolor: grid, zeroline: false, fixedrange: true, automargin: true };
    await Plotly.react(
      this.find('curves'),
      traces,
      {
        margin: { l: 48, r: 12, t: 8, b: 40 },
        height: 280,
        paper_bgcolor: 'rgba(0,0,0,0)',
        plot_bgcolor: 'rgba(0,0,0,0)',
        hovermode: 'closest',
        font: { color: ink, size: 11, family: 'system-ui, sans-serif' },
        legend: { orientation: 'h', y: 1.14, x: 0 },
        xaxis: {
          ...axis,
          type: 'log',
          title: { text: 'first n atoms' },
          range: [0, Math.log10(Math.max(10, this.total))],
          anchor: 'y2',
          exponentformat: 'SI',
        },
        yaxis: { ...axis, title: { text: 'SNR / dB' }, domain: [0.54, 1] },
        yaxis2: { ...axis, title: { text: 'energy / %' }, domain: [0, 0.44], range: [0, 102] },
      },
      { displayModeBar: false, responsive: true },
    );
    this.drawn = this.find('curves').data.length;
    this.movePoint();
  }

  movePoint() {
    if (!this.curvesShown || !this.drawn) return;
    const { energy, snr } = worth(
        this.permutation(this.name).sums,
        this.first,
        this.reverse,
        this.scene.energy,
      ),
      n = Math.max(1, this.first);
    Plotly.restyle(this.find('curves'), { x: [[n], [n]], y: [[snr], [100 * energy]] }, [
      this.drawn - 2,
      this.drawn - 1,
    ]);
  }
}
