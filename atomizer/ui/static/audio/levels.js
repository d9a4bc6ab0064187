// Levels of sounds.

const MAX_MATCHING_GAIN = 4; // 12 dB

/** Root mean square of a buffer's channels between two times.
 * @param {AudioBuffer} buffer
 * @param {number} [from] seconds
 * @param {number} [to] seconds */
export function rms(buffer, from = 0, to = Infinity) {
  let sum = 0;
  let count = 0;
  for (let c = 0; c < buffer.numberOfChannels; c++) {
    const samples = buffer.getChannelData(c);
    const end = Math.min(samples.length, Math.ceil(to * buffer.sampleRate));
    for (let i = Math.max(0, Math.floor(from * buffer.sampleRate)); i < end; i++) {
      sum += samples[i] * samples[i];
      count++;
    }
  }
  return Math.sqrt(sum / Math.max(count, 1));
}

/** Largest magnitude of a buffer's samples; 1 is full scale.
 * @param {AudioBuffer} buffer */
export function peak(buffer) {
  let most = 0;
  for (let c = 0; c < buffer.numberOfChannels; c++)
    for (const sample of buffer.getChannelData(c)) most = Math.max(most, Math.abs(sample));
  return most;
}

/** What matching the levels does, in words.
 * @param {boolean} matched
 * @param {number | null} gain of the filled version; null without one */
export function matchText(matched, gain) {
  if (!matched) return 'Levels are not matched: every version plays as it is exported.';
  if (gain === null) return 'Levels are matched: a fill will play as loud as the original.';
  const decibels = Math.abs(20 * Math.log10(gain)).toFixed(1);
  if (decibels === '0.0') return 'Levels are matched: the fill is as loud as the original.';
  const change = decibels + ' dB ' + (gain > 1 ? 'louder' : 'quieter');
  return 'Levels are matched: Filled plays ' + change + ' than it is exported.';
}

/** Gain that brings a version to the level of the original; 1 if either is silent.
 * @param {number} [original]
 * @param {number} [version] */
export const matchingGain = (original = 0, version = 0) =>
  original > 1e-5 && version > 1e-5
    ? Math.min(MAX_MATCHING_GAIN, Math.max(1 / MAX_MATCHING_GAIN, original / version))
    : 1;
