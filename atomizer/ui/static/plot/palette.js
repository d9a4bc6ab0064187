// The colours of Python's plotting/palette.py as tables of pixels.

export const DEFAULT_CONTRAST = 0.5;

/** As `gamma_of` of Python.
 * @param {import('../types').PaletteConfig} config
 * @param {number} contrast 0 to 1 */
const gammaOf = ({ gammas: [low, high] }, contrast) => low * (high / low) ** contrast;

/** Colour ramps of one theme each, by name. */
export class Palette {
  /** @param {import('../types').PaletteConfig} config */
  constructor(config) {
    this.config = config;
    /** Exponent from velocity to ramp position; `setContrast` changes it. */
    this.gamma = gammaOf(config, DEFAULT_CONTRAST);
    this.names = config.kinds;
    this.rankClasses = config.ranks;
    this.themes = config.themes;
    this.rows = new Map(config.kinds.map((name, row) => [name, row]));
  }

  /** @param {boolean} dark */
  theme(dark) {
    return this.themes[dark ? 'dark' : 'light'];
  }

  /** @param {number} contrast 0 to 1: how strongly quiet atoms recede */
  setContrast(contrast) {
    this.gamma = gammaOf(this.config, contrast);
  }

  /** Tables of pixels (row * 256 + velocity), one per step of the tint by sign, from faint to full.
   * @param {boolean} dark */
  tables(dark) {
    const { tints } = this.config;
    return Array.from({ length: tints }, (_, k) => this.table(dark, k / (tints - 1)));
  }

  /** @param {boolean} dark
   * @param {number} [share] of the tint, 0 to 1 */
  table(dark, share = 1) {
    const { ramps } = this.theme(dark);
    const table = new Uint32Array(ramps.length * 256);
    ramps.forEach((_, row) => {
      const stops = this.tinted(ramps, row, share);
      for (let velocity = 0; velocity < 256; velocity++)
        table[row * 256 + velocity] = pixel(interpolate(stops, (velocity / 255) ** this.gamma));
    });
    return table;
  }

  /** Stops of a row, faded towards the row that does not show the sign.
   * @param {number[][][]} ramps
   * @param {number} row
   * @param {number} share */
  tinted(ramps, row, share) {
    const { untinted, faint } = this.config;
    const base = this.rows.get(untinted[this.names[row]]);
    if (base === undefined) return ramps[row];
    const part = faint + (1 - faint) * share;
    return ramps[row].map((stop, k) =>
      stop.map((value, c) => ramps[base][k][c] + (value - ramps[base][k][c]) * part),
    );
  }

  /** Pixel of the background.
   * @param {boolean} dark */
  paper(dark) {
    return pixel(this.theme(dark).paper);
  }

  /** CSS gradient of a row, by velocity.
   * @param {string} name
   * @param {boolean} dark */
  gradient(name, dark) {
    const stops = this.theme(dark).ramps[this.rows.get(name) ?? 0];
    const colours = Array.from({ length: 9 }, (_, k) => interpolate(stops, (k / 8) ** this.gamma));
    return (
      'linear-gradient(90deg,' + colours.map((rgb) => 'rgb(' + rgb.join(',') + ')').join(',') + ')'
    );
  }
}

/** @param {number[]} rgb */
const pixel = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** Colour at a position between 0 and 1 along evenly spaced stops.
 * @param {number[][]} stops
 * @param {number} x */
export function interpolate(stops, x) {
  const at = Math.min(Math.max(x, 0) * (stops.length - 1), stops.length - 1 - 1e-6);
  const i = Math.floor(at);
  return stops[i].map((value, k) => Math.round(value + (stops[i + 1][k] - value) * (at - i)));
}

const [BLUE, SKY_BLUE] = ['#0072b2', '#56b4e9']; // the first is too dark on a dark page

/** Colours of lines by Okabe and Ito, by ordering.
 * @param {boolean} dark
 * @returns {Record<string, string>} */
export const lineColours = (dark) => ({
  time: dark ? SKY_BLUE : BLUE,
  frequency: '#e69f00',
  velocity: '#009e73',
  channel: '#cc79a7',
  random: '#8a8f98',
  audibility: '#d55e00',
});
