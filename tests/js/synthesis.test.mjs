import assert from 'node:assert/strict';
import { test } from 'node:test';

import { amplitudesOf, unpackAtoms } from '../../atomizer/ui/static/plot/atoms.js';
import { DCT4, Synthesiser, encodeWav } from '../../atomizer/ui/static/audio/synthesis.js';
import { packed, scene, someRows } from './help.mjs';

test('the DCT-IV matches its definition', () => {
  const size = 16,
    x = Float64Array.from({ length: size }, (_, n) => Math.sin(n * n) + 0.2),
    y = x.slice();
  new DCT4(size).run(y);
  for (let k = 0; k < size; k++) {
    let sum = 0;
    for (let n = 0; n < size; n++) sum += x[n] * Math.cos((Math.PI / size) * (n + 0.5) * (k + 0.5));
    assert.ok(Math.abs(y[k] - Math.sqrt(2 / size) * sum) < 1e-12);
  }
});

test('the sound of the first atoms has their energy', async () => {
  const atoms = unpackAtoms(
      packed(someRows(40).map((row) => [Math.min(17, Math.max(2, row[0])), ...row.slice(1)])),
      40,
    ),
    amplitude = amplitudesOf(atoms, scene);
  const made = new Synthesiser(scene, atoms, amplitude),
    ranks = Uint32Array.from({ length: 40 }, (_, i) => i),
    seen = new Set();
  const energy = (sound) =>
    sound.reduce((sum, channel) => sum + channel.reduce((part, v) => part + v * v, 0), 0);
  // of atoms that share a place the last one counts
  let expected = 0;
  for (let i = 39; i >= 0; i--) {
    const key = [atoms.channel[i], atoms.frame[i], atoms.bin[i]].join();
    if (!seen.has(key)) expected += amplitude[i] ** 2;
    seen.add(key);
  }
  const all = await made.renderFirst(40, ranks);
  assert.equal(all.length, 2);
  assert.equal(all[0].length, Math.round(scene.duration * scene.rate));
  assert.ok(Math.abs(energy(all) - expected) < 1e-4 * expected);
  assert.equal(energy(await made.renderFirst(0, ranks)), 0);
});

test('one atom is a windowed cosine at its frame and bin', async () => {
  const atoms = unpackAtoms(packed([[6, 9, 65535, 1, 0, 0]]), 1),
    made = new Synthesiser({ ...scene, channels: 1 }, atoms, Float32Array.of(1));
  const [sound] = await made.renderFirst(1, Uint32Array.of(0)),
    N = scene.hop;
  for (let n = 0; n < 2 * N; n++) {
    const window = Math.sin((Math.PI * (n + 0.5)) / (2 * N)),
      value = Math.sqrt(2 / N) * window * Math.cos((Math.PI / N) * (n + 0.5 + N / 2) * 9.5);
    assert.ok(Math.abs(sound[5 * N + n] - value) < 1e-6);
  }
});

test('a WAV file has interleaved float samples', () => {
  const bytes = new DataView(
      encodeWav([Float32Array.of(0.5, -0.25), Float32Array.of(1, 2)], 44100),
    ),
    text = (at) => String.fromCharCode(...new Uint8Array(bytes.buffer, at, 4));
  assert.deepEqual([0, 8, 12, 36].map(text), ['RIFF', 'WAVE', 'fmt ', 'data']);
  assert.deepEqual(
    [bytes.byteLength, bytes.getUint32(4, true), bytes.getUint32(40, true)],
    [60, 52, 16],
  );
  assert.deepEqual(
    [bytes.getUint16(20, true), bytes.getUint16(22, true), bytes.getUint32(24, true)],
    [3, 2, 44100],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((k) => bytes.getFloat32(44 + 4 * k, true)),
    [0.5, 1, -0.25, 2],
  );
});
