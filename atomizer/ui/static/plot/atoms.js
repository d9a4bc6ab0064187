// Atoms in memory: one typed array per feature, quiet atoms first; and how they are drawn.

/** @typedef {import('../types').Atoms} Atoms */
/** @typedef {import('../types').Scene} Scene */
/** @typedef {import('../types').Axes} Axes */
/** @typedef {import('../types').Plane} Plane */

// states of an atom
export const KEPT = 0;
export const UNKNOWN = 1;
export const FILLED = 2;

export const HIDDEN = 255; // colour row of an atom that is not drawn
const MAX_VELOCITY = 65535;

/** Atoms of a scene, from the bytes that drawing.py packed in one of its formats.
 * @param {ArrayBuffer} buffer
 * @param {Pick<Scene, 'count' | 'channels' | 'frames' | 'hop' | 'is_mapped'>} scene */
export function unpackScene(buffer, scene) {
  const { count, channels, frames, hop } = scene;
  if (!scene.is_mapped) return unpackAtoms(buffer, count);
  const velocity = new Uint16Array(buffer, 0, count);
  const cells = channels * frames * hop;
  const hasAtom = new Uint8Array(buffer, 2 * count, Math.ceil(cells / 8));
  const isPositive = new Uint8Array(buffer, 2 * count + hasAtom.length);
  // where the next atom of each velocity goes: a sort that keeps the order of equal ones
  const next = new Uint32Array(MAX_VELOCITY + 2);
  for (let i = 0; i < count; i++) next[velocity[i] + 1]++;
  for (let v = 0; v <= MAX_VELOCITY; v++) next[v + 1] += next[v];
  const atoms = emptyAtoms(count);
  for (let v = 0; v <= MAX_VELOCITY; v++) atoms.velocity.fill(v, next[v], next[v + 1]);
  // only one array is written out of order, which misses the cache: cell and sign of each atom
  const placed = new Uint32Array(count);
  for (let byte = 0, i = 0; byte < hasAtom.length; byte++)
    for (let bits = hasAtom[byte]; bits; bits &= bits - 1, i++) {
      const cell = 8 * byte + 31 - Math.clz32(bits & -bits);
      placed[next[velocity[i]]++] = 2 * cell + ((isPositive[i >> 3] >> (i & 7)) & 1);
    }
  for (let n = 0; n < count; n++) {
    const cell = placed[n] >>> 1;
    const column = (cell / hop) | 0;
    const channel = (column / frames) | 0;
    atoms.frame[n] = column - channel * frames;
    atoms.bin[n] = cell - column * hop;
    atoms.sign[n] = placed[n] & 1;
    atoms.channel[n] = channel;
  }
  return atoms;
}

/** Listed atoms from the bytes that drawing.py packed.
 * @param {ArrayBuffer} buffer
 * @param {number} count */
export function unpackAtoms(buffer, count) {
  const flags = new Uint8Array(buffer, 6 * count, count);
  const atoms = emptyAtoms(
    count,
    new Uint16Array(buffer, 0, count),
    new Uint16Array(buffer, 2 * count, count),
    new Uint16Array(buffer, 4 * count, count),
  );
  for (let i = 0; i < count; i++) {
    atoms.sign[i] = flags[i] & 1;
    atoms.channel[i] = (flags[i] >> 1) & 7;
    atoms.state[i] = flags[i] >> 4;
  }
  return atoms;
}

/** Atoms whose other features are 0.
 * @param {number} count
 * @param {Uint16Array | Uint32Array} [frame]
 * @param {Uint16Array} [bin]
 * @param {Uint16Array} [velocity]
 * @returns {Atoms} */
export function emptyAtoms(
  count,
  frame = new Uint16Array(count),
  bin = new Uint16Array(count),
  velocity = new Uint16Array(count),
) {
  const bytes = () => new Uint8Array(count);
  return {
    count,
    frame,
    bin,
    velocity,
    sign: bytes(),
    channel: bytes(),
    state: bytes(),
    selected: bytes(),
    colourRow: bytes(),
    source: null,
  };
}

/**
 * A scene after a fill: its atoms without the hidden ones, and the atoms in their place.
 * All are sorted by velocity. `source` is the index of each atom in the scene, or -1.
 * @param {Atoms} scene
 * @param {Uint8Array} hidden bit set
 * @param {Atoms} changed
 */
export function mergeFill(scene, hidden, changed) {
  let kept = 0;
  for (let i = 0; i < scene.count; i++) kept += 1 - ((hidden[i >> 3] >> (i & 7)) & 1);
  const out = emptyAtoms(kept + changed.count);
  const source = new Int32Array(out.count);
  out.source = source;
  let a = 0;
  let b = 0;
  const skip = () => {
    while (a < scene.count && (hidden[a >> 3] >> (a & 7)) & 1) a++;
  };
  skip();
  for (let n = 0; n < out.count; n++) {
    const old = b >= changed.count || (a < scene.count && scene.velocity[a] <= changed.velocity[b]);
    const from = old ? scene : changed;
    const i = old ? a++ : b++;
    out.frame[n] = from.frame[i];
    out.bin[n] = from.bin[i];
    out.velocity[n] = from.velocity[i];
    out.sign[n] = from.sign[i];
    out.channel[n] = from.channel[i];
    out.state[n] = old ? KEPT : changed.state[i];
    source[n] = old ? i : -1;
    if (old) skip();
  }
  return out;
}

/** Centres of frames in seconds and of bins in Hz, with the arithmetic of AtomSpace in Python: both
 * sides agree on what lies in a region.
 * @param {Scene} scene
 * @returns {Axes} */
export function axesOf(scene) {
  const bins = scene.bins || scene.hop;
  const perFrame = scene.hop / scene.rate;
  const perBin = scene.rate / 2 / bins;
  // a pursuit has too many times for a table
  return {
    perFrame,
    perBin,
    seconds: Float64Array.from({ length: scene.bins ? 0 : scene.frames }, (_, m) => m * perFrame),
    hertz: Float64Array.from({ length: bins }, (_, k) => (k + 0.5) * perBin),
  };
}

/** Velocity in dB relative to the loudest atom of the scene.
 * @param {number} velocity
 * @param {Pick<Scene, 'floor_db'>} scene */
export const decibelsOf = (velocity, scene) => scene.floor_db * (1 - velocity / MAX_VELOCITY);

/** Signed amplitudes; computed once and kept with the atoms.
 * @param {Atoms} atoms
 * @param {Scene} scene */
export function amplitudesOf(atoms, scene) {
  if (atoms.amplitude) return atoms.amplitude;
  const { count, velocity, sign } = atoms;
  const amplitudes = new Float32Array(count);
  // equal velocities follow each other, as atoms are sorted by velocity
  let last = -1;
  let amplitude = 0;
  for (let i = 0; i < count; i++) {
    if (velocity[i] !== last) {
      last = velocity[i];
      amplitude = scene.loudest * 10 ** (decibelsOf(last, scene) / 20);
    }
    amplitudes[i] = sign[i] ? amplitude : -amplitude;
  }
  atoms.amplitude = amplitudes;
  return amplitudes;
}

/**
 * First and one-past-last pixel of every frame or bin along an axis: neighbours touch, no gaps.
 * @param {number} count
 * @param {number} from first pixel of the axis
 * @param {number} to one past its last pixel
 * @param {number} minPixels of every cell
 * @param {(index: number) => number} edge position of the border between index - 1 and index
 */
export function pixelSpans(count, from, to, minPixels, edge) {
  const first = new Int32Array(count);
  const last = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const [a, b] = [edge(i), edge(i + 1)];
    const low = Math.round(Math.min(a, b));
    const high = Math.round(Math.max(a, b));
    const missing = Math.max(0, minPixels - (high - low));
    const start = low - (missing >> 1);
    first[i] = Math.max(from, Math.min(to, start));
    last[i] = Math.max(from, Math.min(to, start + Math.max(minPixels, high - low)));
  }
  return [first, last];
}

/** Index of a step of the tint by sign, as `tint_of` of Python.
 * @param {number} size shorter side of an atom in CSS pixels
 * @param {import('../types').Range} limits
 * @param {number} steps */
export function tintOf(size, [low, high], steps) {
  const share = Math.min(1, Math.max(0, (size - low) / (high - low)));
  return Math.round(share * (steps - 1));
}

/**
 * Draw atoms into pixels, loud ones last.
 * @param {Uint32Array} pixels
 * @param {Atoms} atoms
 * @param {Plane} plane
 * @param {Uint32Array[]} tables colour of (row * 256 + velocity), by the step of the tint by sign
 * @param {Scene} scene
 */
export function drawAtoms(pixels, atoms, plane, tables, scene) {
  const { width, ratio, lanes, unit } = plane;
  const [t0, t1] = plane.t;
  const [u0, u1] = plane.u;
  const { hop } = scene;
  const perFrame = hop / scene.rate;
  const perBin = scene.rate / 2 / hop;
  const minPixels = Math.ceil(1.5 * ratio);
  const [left, right] = pixelSpans(
    scene.frames,
    0,
    width,
    minPixels,
    (m) => (((m - 0.5) * perFrame - t0) / (t1 - t0)) * width,
  );
  const laneOf = new Int32Array(256).fill(-1);
  /** @type {Int32Array[]} */
  const top = [];
  /** @type {Int32Array[]} */
  const bottom = [];
  /** @type {Uint32Array[][]} tables of each bin */
  const tablesOf = [];
  const wide = ((perFrame / (t1 - t0)) * width) / ratio;
  lanes.forEach((lane, k) => {
    if (lane.channel === null) laneOf.fill(k);
    else laneOf[lane.channel] = k;
    [top[k], bottom[k]] = pixelSpans(
      hop,
      lane.top,
      lane.top + lane.height,
      minPixels,
      (bin) => lane.top + ((u1 - unit(bin * perBin)) / (u1 - u0)) * lane.height,
    );
    const perUnit = lane.height / (u1 - u0) / ratio;
    tablesOf[k] = Array.from({ length: hop }, (_, bin) => {
      const high = (unit((bin + 1) * perBin) - unit(bin * perBin)) * perUnit;
      return tables[tintOf(Math.min(wide, high), plane.tintPixels ?? [0, 1], tables.length)];
    });
  });
  const { count, frame, bin, channel, colourRow, velocity } = atoms;
  for (let i = 0; i < count; i++) {
    if (colourRow[i] === HIDDEN) continue;
    const from = left[frame[i]];
    const to = right[frame[i]];
    if (from >= to) continue;
    const lane = laneOf[channel[i]];
    if (lane < 0) continue;
    const end = bottom[lane][bin[i]];
    let row = top[lane][bin[i]];
    if (row >= end) continue;
    const colour = tablesOf[lane][bin[i]][colourRow[i] * 256 + (velocity[i] >> 8)];
    for (; row < end; row++) {
      const stop = row * width + to;
      for (let x = row * width + from; x < stop; x++) pixels[x] = colour;
    }
  }
}

/** Index of the drawn atom nearest to a pixel, the loudest of equally near ones; -1 for none.
 * @param {Atoms} atoms
 * @param {Plane} plane
 * @param {Axes} axes
 * @param {number} x
 * @param {number} y
 * @param {number} [reach] CSS pixels */
export function nearestAtom(atoms, plane, axes, x, y, reach = 8) {
  const lane = plane.lanes.find((l) => y >= l.top && y <= l.top + l.height);
  if (!lane) return -1;
  const [t0, t1] = plane.t;
  const [u0, u1] = plane.u;
  const far = reach * plane.ratio;
  const xs = Float32Array.from(axes.seconds, (t) => ((t - t0) / (t1 - t0)) * plane.width - x);
  const ys = Float32Array.from(
    axes.hertz,
    (f) => lane.top + ((u1 - plane.unit(f)) / (u1 - u0)) * lane.height - y,
  );
  let best = -1;
  let nearest = far * far;
  for (let i = 0; i < atoms.count; i++) {
    const dx = xs[atoms.frame[i]];
    if (dx > far || dx < -far) continue;
    const dy = ys[atoms.bin[i]];
    const distance = dx * dx + dy * dy;
    if (
      distance <= nearest &&
      atoms.colourRow[i] !== HIDDEN &&
      (lane.channel === null || lane.channel === atoms.channel[i])
    ) {
      nearest = distance;
      best = i;
    }
  }
  return best;
}
