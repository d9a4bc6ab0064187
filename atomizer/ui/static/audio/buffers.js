// Buffers of the Web Audio API.

/** @param {BaseAudioContext} context
 * @param {Float32Array<ArrayBuffer>[]} channels
 * @param {number} rate */
export function createBuffer(context, channels, rate) {
  const buffer = context.createBuffer(channels.length, Math.max(1, channels[0].length), rate);
  channels.forEach((samples, c) => buffer.copyToChannel(samples, c));
  return buffer;
}

/** Channels of one buffer minus those of another, of which the last one repeats.
 * @param {AudioBuffer} a
 * @param {AudioBuffer} b */
export function difference(a, b) {
  const length = Math.min(a.length, b.length);
  return Array.from({ length: a.numberOfChannels }, (_, c) => {
    const x = a.getChannelData(c);
    const y = b.getChannelData(Math.min(c, b.numberOfChannels - 1));
    const out = new Float32Array(length); // Float32Array.from takes a hundred times as long
    for (let i = 0; i < length; i++) out[i] = x[i] - y[i];
    return out;
  });
}
