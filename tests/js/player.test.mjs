import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Player } from '../../atomizer/ui/static/audio/player.js';
import { answers, sound } from './help.mjs';

function quiet() {
  const player = new Player(() => {}),
    files = answers(sound);
  player.fetch = (url) => files.of(url);
  return { player, files };
}
const heard = ({ buffers }) =>
  Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, buffer.url]));

test('the later of two loads counts, however late the first is', async () => {
  const { player, files } = quiet();
  files.hold('a');
  const first = player.load({ original: 'o', filled: 'a' }),
    second = player.load({ original: 'o', filled: 'b' });
  await second;
  files.release('a');
  assert.equal(await first, false);
  assert.equal(await second, true);
  assert.deepEqual(heard(player), { original: 'o', filled: 'b' });
  assert.deepEqual(player.urls, { original: 'o', filled: 'b' });
});

test('loading what is there cancels a pending load', async () => {
  const { player, files } = quiet();
  await player.load({ original: 'o' });
  files.hold('a');
  const first = player.load({ original: 'o', filled: 'a' });
  await player.load({ original: 'o' });
  files.release('a');
  await first;
  assert.deepEqual(heard(player), { original: 'o' });
  await player.load({ original: 'o', filled: 'a' }); // nothing of it is taken to be there already
  assert.deepEqual(heard(player), { original: 'o', filled: 'a' });
});

test('the loudest version sets the gain of all, so that none exceeds full scale', async () => {
  const { player } = quiet();
  player.fetch = async (url) => ({ ...sound(url), getChannelData: () => Float32Array.of(+url) });
  player.setVolume(0.5);
  await player.load({ original: '0.5' });
  assert.equal(player.masterGain(), 0.5);
  await player.load({ original: '0.5', filled: '-4' });
  assert.equal(player.masterGain(), 0.125);
  await player.load({ original: '0.5' });
  assert.equal(player.masterGain(), 0.5);
});
