import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SoundCache } from '../../atomizer/ui/static/audio/sound_cache.js';
import { sound } from './help.mjs';

const context = { decodeAudioData: async (bytes) => ({ ...sound(bytes), numberOfChannels: 1 }) };

test('a file is fetched once, also by two that want it at the same time', async (t) => {
  const fetched = [];
  t.mock.method(globalThis, 'fetch', async (url) => {
    fetched.push(url);
    return { ok: true, arrayBuffer: async () => url };
  });
  const cache = new SoundCache();
  const two = await Promise.all([cache.fetch('a', context, []), cache.fetch('a', context, [])]);
  assert.equal(two[0], two[1]);
  assert.equal(await cache.fetch('a', context, []), two[0]);
  assert.deepEqual(fetched, ['a']);
});

test('a file that could not be fetched is fetched again', async (t) => {
  let ok = false;
  t.mock.method(globalThis, 'fetch', async (url) => ({ ok, arrayBuffer: async () => url }));
  const cache = new SoundCache();
  await assert.rejects(cache.fetch('a', context, []));
  ok = true;
  assert.equal((await cache.fetch('a', context, [])).url, 'a');
});
