// Atoms as the picture holds them: one typed array per feature, quiet atoms first.

export const KEPT = 0,
  UNKNOWN = 1,
  FILLED = 2;
export const HIDDEN = 255; // the kind of an atom that is not drawn
const TOP = 65535;

/** Atoms of the bytes that drawing.py packed. */
export function unpack(buffer, count) {
  const flags = new Uint8Array(buffer, 6 * count, count);
  const atoms = blank(
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

export function blank(
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
    kind: bytes(),
    source: null,
  };
}

/**
 * A scene after a fill: its atoms less the hidden ones (a bit set), and what stands in their place. Both are sorted, and so is the result.
 * `source` tells for each atom its index in the scene, or -1.
 */
export function merge(scene, hidden, changed) {
  let kept = 0;
  for (let i = 0; i < scene.count; i++) kept += 1 - ((hidden[i >> 3] >> (i & 7)) & 1);
  const out = blank(kept + changed.count);
  out.source = new Int32Array(out.count);
  let a = 0,
    b = 0;
  const skip = () => {
    while (a < scene.count && (hidden[a >> 3] >> (a & 7)) & 1) a++;
  };
  skip();
  for (let n = 0; n < out.count; n++) {
    const old = b >= changed.count || (a < scene.count && scene.velocity[a] <= changed.velocity[b]),
      from = old ? scene : changed,
      i = old ? a++ : b++;
    out.frame[n] = from.frame[i];
    out.bin[n] = from.bin[i];
    out.velocity[n] = from.velocity[i];
    out.sign[n] = from.sign[i];
    out.channel[n] = from.channel[i];
    out.state[n] = old ? KEPT : changed.state[i];
    out.source[n] = old ? i : -1;
    if (old) skip();
  }
  return out;
}

/** Centres of frames in seconds and of bins in Hz: the same arithmetic as AtomSpace, so that both sides agree on what lies in a region. */
export function axesOf(scene) {
  const bins = scene.bins || scene.hop,
    perFrame = scene.hop / scene.rate,
    perBin = scene.rate / 2 / bins;
  // the times of a pursuit are too fine for a table
  return {
    perFrame,
    perBin,
    seconds: Float64Array.from({ length: scene.bins ? 0 : scene.frames }, (_, m) => m * perFrame),
    hertz: Float64Array.from({ length: bins }, (_, k) => (k + 0.5) * perBin),
  };
}

/** Velocities in dB below the loudest atom of the scene. */
export const decibelsOf = (velocity, scene) => scene.floor_db * (1 - velocity / TOP);

/** Float32Array of signed amplitudes; made once, and kept with the atoms. */
export function amplitudesOf(atoms, scene) {
  if (atoms.amplitude) return atoms.amplitude;
  atoms.amplitude = new Float32Array(atoms.count);
  for (let i = 0; i < atoms.count; i++) {
    const amplitude = scene.loudest * 10 ** (decibelsOf(atoms.velocity[i], scene) / 20);
    atoms.amplitude[i] = atoms.sign[i] ? amplitude : -amplitude;
  }
  return atoms.amplitude;
}

/**
 * First and one-past-last pixel of every frame or bin along one axis, so that neighbours touch without gaps.
 *
 * edge    function (index) -> pixel position of the border between index - 1 and index
 * least   pixels that every cell has at least
 */
export function pixelSpans(count, from, to, least, edge) {
  const first = new Int32Array(count),
    last = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const a = edge(i),
      b = edge(i + 1),
      low = Math.round(Math.min(a, b)),
      high = Math.round(Math.max(a, b));
    const missing = Math.max(0, least - (high - low)),
      start = low - (missing >> 1);
    first[i] = Math.max(from, Math.min(to, start));
    last[i] = Math.max(from, Math.min(to, start + Math.max(least, high - low)));
  }
  return [first, last];
}

/**
 * Splat atoms into pixels, loud ones last. `atoms.kind` is the row of the colour table, or HIDDEN.
 *
 * plane  {width, height, ratio: device pixels per CSS pixel, t: [from, to] seconds, u: [from, to] units of the axis, unit: Hz -> unit,
 *         lanes: [{channel: number or null for all, top, height}]}
 */
export function splat(pixels, atoms, plane, table, scene) {
  const { width, ratio, lanes, unit } = plane,
    [t0, t1] = plane.t,
    [u0, u1] = plane.u,
    least = Math.ceil(1.5 * ratio),
    hop = scene.hop;
  const perFrame = scene.hop / scene.rate,
    perBin = scene.rate / 2 / hop;
  const [left, right] = pixelSpans(
    scene.frames,
    0,
    width,
    least,
    (m) => (((m - 0.5) * perFrame - t0) / (t1 - t0)) * width,
  );
  const laneOf = new Int32Array(256).fill(-1),
    top = [],
    bottom = [];
  lanes.forEach((lane, k) => {
    if (lane.channel === null) laneOf.fill(k);
    else laneOf[lane.channel] = k;
    [top[k], bottom[k]] = pixelSpans(
      hop,
      lane.top,
      lane.top + lane.height,
      least,
      (bin) => lane.top + ((u1 - unit(bin * perBin)) / (u1 - u0)) * lane.height,
    );
  });
  const { count, frame, bin, channel, kind, velocity } = atoms;
  for (let i = 0; i < count; i++) {
    if (kind[i] === HIDDEN) continue;
    const from = left[frame[i]],
      to = right[frame[i]];
    if (from >= to) continue;
    const lane = laneOf[channel[i]];
    if (lane < 0) continue;
    const end = bottom[lane][bin[i]];
    let row = top[lane][bin[i]];
    if (row >= end) continue;
    const colour = table[kind[i] * 256 + (velocity[i] >> 8)];
    for (; row < end; row++) {
      const stop = row * width + to;
      for (let x = row * width + from; x < stop; x++) pixels[x] = colour;
    }
  }
}

/** Index of the drawn atom nearest to a pixel of the plane, within `reach` CSS pixels; the loudest where several share it; -1 for none. */
export function nearestAtom(atoms, plane, axes, x, y, reach = 8) {
  const lane = plane.lanes.find((l) => y >= l.top && y <= l.top + l.height);
  if (!lane) return -1;
  const [t0, t1] = plane.t,
    [u0, u1] = plane.u,
    far = reach * plane.ratio;
  const xs = Float32Array.from(axes.seconds, (t) => ((t - t0) / (t1 - t0)) * plane.width - x);
  const ys = Float32Array.from(
    axes.hertz,
    (f) => lane.top + ((u1 - plane.unit(f)) / (u1 - u0)) * lane.height - y,
  );
  let best = -1,
    nearest = far * far;
  for (let i = 0; i < atoms.count; i++) {
    const dx = xs[atoms.frame[i]];
    if (dx > far || dx < -far) continue;
    const dy = ys[atoms.bin[i]],
      distance = dx * dx + dy * dy;
    if (
      distance <= nearest &&
      atoms.kind[i] !== HIDDEN &&
      (lane.channel === null || lane.channel === atoms.channel[i])
    ) {
      nearest = distance;
      best = i;
    }
  }
  return best;
}
