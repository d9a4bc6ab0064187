// Atoms as the picture holds them: one typed array per feature, quiet atoms first.

const KEPT = 0, UNKNOWN = 1, FILLED = 2;

/** Atoms of the bytes that drawing.py packed. */
function unpack(buffer, count, scene) {
  const frame = new Uint16Array(buffer, 0, count), bin = new Uint16Array(buffer, 2 * count, count);
  const flags = new Uint8Array(buffer, 5 * count, count);
  const atoms = {
    count, frame, bin,
    time: new Float64Array(count), hertz: new Float64Array(count), octave: new Float64Array(count),
    brightness: new Uint8Array(buffer, 4 * count, count),
    sign: new Uint8Array(count), channel: new Uint8Array(count), state: new Uint8Array(count), selected: new Uint8Array(count),
  };
  // the same arithmetic as AtomSpace.seconds and AtomSpace.hertz, so that both sides agree on what lies inside a region
  const secondsPerFrame = scene.hop / scene.rate, hertzPerBin = scene.rate / 2 / scene.hop;
  for (let i = 0; i < count; i++) {
    atoms.time[i] = frame[i] * secondsPerFrame;
    atoms.hertz[i] = (bin[i] + 0.5) * hertzPerBin;
    atoms.octave[i] = Math.log2(atoms.hertz[i]);
    atoms.sign[i] = flags[i] & 1;
    atoms.channel[i] = (flags[i] >> 1) & 7;
    atoms.state[i] = flags[i] >> 4;
  }
  return atoms;
}

/**
 * First and one-past-last pixel of every frame or bin along one axis, so that neighbours touch without gaps.
 *
 * edge    function (index) -> pixel position of the border between index - 1 and index
 * least   pixels that every cell has at least
 */
function pixelSpans(count, size, least, edge) {
  const from = new Int32Array(count), to = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const a = edge(i), b = edge(i + 1), low = Math.round(Math.min(a, b)), high = Math.round(Math.max(a, b));
    const missing = Math.max(0, least - (high - low));
    from[i] = Math.max(0, Math.min(size, low - (missing >> 1)));
    to[i] = Math.max(0, Math.min(size, low - (missing >> 1) + Math.max(least, high - low)));
  }
  return [from, to];
}

/**
 * Splat atoms into pixels, loud ones last.
 *
 * plane  {width, height, t: [from, to], y: [from, to] in Hz or octaves, log, ratio: device pixels per CSS pixel}
 * kindOf function (atoms, i) -> row of the colour table, or -1 to leave the atom out
 */
function splat(pixels, atoms, plane, table, scene, kindOf) {
  const { width, height, log, ratio } = plane, [t0, t1] = plane.t, [y0, y1] = plane.y;
  const perFrame = scene.hop / scene.rate, perBin = scene.rate / 2 / scene.hop, least = Math.ceil(1.5 * ratio);
  const frames = Math.ceil((scene.duration * scene.rate) / scene.hop) + 2;
  const [left, right] = pixelSpans(frames, width, least, (m) => (((m - 0.5) * perFrame - t0) / (t1 - t0)) * width);
  const y = (f) => (log ? Math.log2(Math.max(f, 1)) : f);
  const [top, bottom] = pixelSpans(scene.hop, height, least, (k) => ((y1 - y(k * perBin)) / (y1 - y0)) * height);
  for (let i = 0; i < atoms.count; i++) {
    const from = left[atoms.frame[i]], to = right[atoms.frame[i]], end = bottom[atoms.bin[i]];
    if (from >= to || top[atoms.bin[i]] >= end) continue;
    const kind = kindOf(atoms, i);
    if (kind < 0) continue;
    const colour = table[kind * 256 + atoms.brightness[i]];
    for (let row = top[atoms.bin[i]]; row < end; row++) {
      for (let x = row * width + from, stop = row * width + to; x < stop; x++) pixels[x] = colour;
    }
  }
}

/** Index of the atom nearest to a point of the plane, within 12 CSS pixels; -1 where there is none. */
function nearestAtom(atoms, plane, x, y, visible) {
  const perSecond = plane.width / (plane.t[1] - plane.t[0]), perY = plane.height / (plane.y[1] - plane.y[0]);
  const ys = plane.log ? atoms.octave : atoms.hertz, reach = 12 * plane.ratio;
  let best = -1, nearest = reach * reach;
  for (let i = 0; i < atoms.count; i++) {
    const dx = (atoms.time[i] - plane.t[0]) * perSecond - x;
    if (dx > reach || dx < -reach) continue;
    const dy = (plane.y[1] - ys[i]) * perY - y, distance = dx * dx + dy * dy;
    if (distance <= nearest && visible(atoms, i)) { nearest = distance; best = i; }
  }
  return best;
}
