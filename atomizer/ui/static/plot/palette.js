// The colours that Python's palette.py made, as tables of pixels.

export class Palette {
  /** config  palette.to_dict() */
  constructor(config) {
    Object.assign(this, config);
    this.index = new Map(config.kinds.map((kind, row) => [kind, row]));
  }

  theme(dark) {
    return this.themes[dark ? 'dark' : 'light'];
  }

  /** Uint32Array: the pixel of row * 256 + velocity. */
  table(dark) {
    const { ramps } = this.theme(dark),
      table = new Uint32Array(ramps.length * 256);
    ramps.forEach((stops, row) => {
      for (let velocity = 0; velocity < 256; velocity++)
        table[row * 256 + velocity] = pixel(along(stops, (velocity / 255) ** this.gamma));
    });
    return table;
  }

  paper(dark) {
    return pixel(this.theme(dark).paper);
  }

  /** The ramp of a kind as a CSS gradient, by velocity, as the picture shows it. */
  gradient(kind, dark) {
    const stops = this.theme(dark).ramps[this.index.get(kind)],
      places = Array.from({ length: 9 }, (_, k) => k / 8);
    return (
      'linear-gradient(90deg,' +
      places.map((x) => 'rgb(' + along(stops, x ** this.gamma).join(',') + ')').join(',') +
      ')'
    );
  }
}

const pixel = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

export function along(stops, x) {
  const at = Math.min(Math.max(x, 0) * (stops.length - 1), stops.length - 1 - 1e-6),
    i = Math.floor(at),
    part = at - i;
  return stops[i].map((value, k) => Math.round(value + (stops[i + 1][k] - value) * part));
}

// Okabe and Ito's colours, for lines
export const LINES = {
  time: '#0072b2',
  frequency: '#e69f00',
  velocity: '#009e73',
  channel: '#cc79a7',
  random: '#8a8f98',
};
