// The selection: a list of items, each a region {kind, op, t, f, points, channels, scale} or a part {part: "random:50"}.
// It means exactly what selection.py makes of it.

const limits = (span) => [span && span[0] != null ? span[0] : -Infinity, span && span[1] != null ? span[1] : Infinity];
const EVERYTHING = { kind: 'rect', op: 'add', everything: true };

/** Function (i) -> whether an atom lies in a region; the twin of Region.contains. */
function insideOf(region, atoms, scene) {
  const { time, hertz, octave, channel } = atoms, nyquist = scene.sound_rate / 2;
  const inChannel = region.channels ? (i) => region.channels.includes(channel[i]) : () => true;
  if (region.kind === 'rect') {
    const [t0, t1] = limits(region.t), [f0, f1] = limits(region.f), reach = scene.hop / scene.rate;
    if (!region.f) {
      // a span of time takes every atom whose window overlaps it; what names no frequency ends at the recording's Nyquist
      if (!region.t) return (i) => hertz[i] <= nyquist && inChannel(i);
      return (i) => time[i] + reach > t0 && time[i] - reach < t1 && hertz[i] <= nyquist && inChannel(i);
    }
    return (i) => time[i] >= t0 && time[i] <= t1 && hertz[i] >= f0 && hertz[i] <= f1 && inChannel(i);
  }
  const log = region.scale === 'log', ys = log ? octave : hertz;
  const points = region.points.map(([x, y]) => [x, log ? Math.log2(Math.max(y, 1e-3)) : y]);
  const xs = points.map((p) => p[0]), heights = points.map((p) => p[1]);
  const low = [Math.min(...xs), Math.min(...heights)], high = [Math.max(...xs), Math.max(...heights)];
  return (i) => {
    const x = time[i], y = ys[i];
    if (x < low[0] || x > high[0] || y < low[1] || y > high[1]) return false;
    return inPolygon(x, y, points) && inChannel(i);
  };
}

/** Even-odd test; the order of the operations is that of selection.in_polygon, so that rounding agrees too. */
function inPolygon(x, y, points) {
  let inside = false;
  for (let j = 0; j < points.length; j++) {
    const [x0, y0] = points[j], [x1, y1] = points[(j + 1) % points.length];
    if (y0 === y1) continue;
    if ((y0 > y) !== (y1 > y) && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) inside = !inside;
  }
  return inside;
}

/** Mark the selected atoms; `parts` is the bit set that Python made of the selected parts, or null. Returns their number. */
function markSelected(atoms, items, scene, parts) {
  const selected = atoms.selected;
  selected.fill(0);
  for (const item of items) {
    if (item.part) continue;
    const inside = insideOf(item, atoms, scene), value = item.op === 'subtract' ? 0 : 1;
    for (let i = 0; i < atoms.count; i++) if (inside(i)) selected[i] = value;
  }
  let count = 0;
  for (let i = 0; i < atoms.count; i++) {
    if (parts && (parts[i >> 3] >> (i & 7)) & 1) selected[i] = 1;
    count += selected[i];
  }
  return count;
}

/** Everything but the selection: the whole plane, less what was added and with what was taken away. Null where parts forbid it. */
function inverted(items) {
  if (items.some((item) => item.part)) return null;
  const flipped = (list) => list.map((item) => ({ ...item, op: item.op === 'subtract' ? 'add' : 'subtract' }));
  return items.length && items[0].everything ? flipped(items.slice(1)) : [EVERYTHING, ...flipped(items)];
}

/** What Python is told: regions and parts as Selection.from_dict takes them, and a key that names them. */
function forPython(items) {
  const regions = items.filter((item) => !item.part).map(({ everything, ...region }) => region);
  const specs = items.filter((item) => item.part).map((item) => item.part);
  return { regions, specs, key: JSON.stringify([regions, specs]) };
}

/** A preset as an item. Throws a sentence where the numbers make no sense. */
function preset(name, first, second, channels) {
  const need = (ok, sentence) => { if (!ok) throw new Error(sentence); };
  need(Number.isFinite(first) && first >= 0, 'Give a number that is not below 0.');
  switch (name) {
    case 'above': return { kind: 'rect', op: 'add', f: [first, null] };
    case 'below': return { kind: 'rect', op: 'add', f: [null, first] };
    case 'after': return { kind: 'rect', op: 'add', t: [first, null] };
    case 'time':
      need(Number.isFinite(second) && second > first, 'A time span ends after it starts.');
      return { kind: 'rect', op: 'add', t: [first, second] };
    case 'channel':
      need(Number.isInteger(first) && first < channels, channels === 1 ? 'This sound has one channel, number 0.' : 'Channels are numbered 0 to ' + (channels - 1) + '.');
      return { kind: 'rect', op: 'add', channels: [first] };
    default:
      need(first <= 100, 'A part is at most 100 percent.');
      return { part: name + ':' + first };
  }
}

const shortHertz = (f) => (f >= 1000 ? +(f / 1000).toPrecision(3) + ' kHz' : Math.round(f) + ' Hz');
const shortSeconds = (t) => +t.toFixed(2) + ' s';

/** A few words for the list of what is selected. */
function nameOf(item) {
  if (item.part) { const [kind, percent] = item.part.split(':'); return kind + ' ' + percent + ' %'; }
  if (item.everything) return 'everything';
  const words = [];
  if (item.kind === 'lasso') words.push('lasso');
  if (item.t) words.push(item.t[1] == null ? 'after ' + shortSeconds(item.t[0]) : +item.t[0].toFixed(2) + '–' + shortSeconds(item.t[1]));
  if (item.f) {
    const [low, high] = item.f;
    words.push(high == null ? 'above ' + shortHertz(low) : low == null ? 'below ' + shortHertz(high) : shortHertz(low) + '–' + shortHertz(high));
  }
  if (item.channels) words.push('channel ' + item.channels.join(', '));
  return words.join(', ');
}

/** [from, to] in seconds that the selection spans within a sound, or null. */
function spanOf(items, duration) {
  let from = Infinity, to = -Infinity;
  for (const item of items) {
    if (item.part || item.op === 'subtract') continue;
    const ts = item.points ? item.points.map((p) => p[0]) : item.t ? [item.t[0], item.t[1] == null ? duration : item.t[1]] : [0, duration];
    from = Math.min(from, ...ts);
    to = Math.max(to, ...ts);
  }
  return to > from ? [Math.max(0, from), Math.min(duration, to)] : null;
}
