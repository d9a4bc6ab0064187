// Frequency axes: where a frequency lies on them, in units in which the axis is linear, and which frequencies are marked.

export const SCALES = {
  log: { unit: (f) => Math.log2(Math.max(f, 1e-3)), hertz: (u) => 2 ** u, lowest: 30 },
  linear: { unit: (f) => f, hertz: (u) => u, lowest: 0 },
  mel: {
    unit: (f) => 2595 * Math.log10(1 + Math.max(f, 0) / 700),
    hertz: (u) => 700 * (10 ** (u / 2595) - 1),
    lowest: 0,
  },
};

const ROUND = [1, 2, 5];

/** Round numbers within [low, high], 1, 2 and 5 times the powers of ten. */
function roundNumbers(low, high) {
  const out = [];
  for (let power = 1; power <= high; power *= 10)
    for (const digit of ROUND)
      if (digit * power >= low && digit * power <= high) out.push(digit * power);
  return out;
}

/** Multiples of a round step within [low, high], about `wanted` of them. */
function evenNumbers(low, high, wanted) {
  const rough = (high - low) / wanted,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((digit) => digit * power >= rough) || 10),
    out = [];
  for (let f = Math.ceil(low / step) * step; f <= high + step * 1e-6; f += step)
    out.push(+f.toPrecision(12));
  return out;
}

/**
 * Marks of an axis that shows [low, high] Hz over `pixels`: [{hertz, text}], at least `apart` pixels from one another.
 */
export function ticks(scale, low, high, pixels, apart = 26) {
  const { unit } = SCALES[scale],
    bottom = unit(low),
    perUnit = pixels / (unit(high) - bottom),
    wanted = Math.max(2, pixels / 55);
  const place = (f) => (unit(f) - bottom) * perUnit;
  let numbers = scale === 'linear' ? evenNumbers(low, high, wanted) : roundNumbers(low, high);
  if (numbers.length < 3) numbers = evenNumbers(low, high, wanted);
  const kept = [];
  for (const f of numbers.reverse())
    if (!kept.length || place(kept[kept.length - 1]) - place(f) >= apart) kept.push(f);
  return kept
    .reverse()
    .map((f) => ({
      hertz: f,
      text: f >= 1000 ? +(f / 1000).toPrecision(6) + ' kHz' : +f.toPrecision(6) + ' Hz',
    }));
}
