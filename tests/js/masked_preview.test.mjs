import assert from 'node:assert/strict';
import { test } from 'node:test';

import { amplitudesOf, unpack } from '../../atomizer/ui/static/plot/atoms.js';
import { Eraser } from '../../atomizer/ui/static/audio/masked_preview.js';
import { Player } from '../../atomizer/ui/static/audio/player.js';
import { Synthesiser } from '../../atomizer/ui/static/audio/synthesis.js';
import { packed, scene, someRows } from './help.mjs';

const bufferOf = (channels) => ({
  numberOfChannels: channels.length,
  sampleRate: scene.rate,
  length: channels[0].length,
  getChannelData: (c) => channels[c],
});

/** An eraser of the sound of 30 MDCT atoms, of which the first ten are selected. */
async function opened() {
  const atoms = unpack(packed(someRows(30)), 30),
    all = await new Synthesiser(scene, atoms, amplitudesOf(atoms, scene)).first(
      30,
      atoms.source || atoms.frame.map((_, i) => i),
    );
  const player = new Player(() => {}),
    page = { chosen: true, erases: true, gone: 0 };
  player.buffer = bufferOf;
  player.audio = () => ({ sampleRate: scene.rate });
  player.buffers.original = bufferOf(all);
  atoms.selected.fill(1, 0, 10);
  const eraser = new Eraser(player, {
    chosen: () => page.chosen,
    erases: () => page.erases,
    gone: () => {
      page.gone++;
    },
  });
  return {
    atoms,
    player,
    page,
    listen: () => eraser.listen({ scene, base: scene, original: atoms }),
  };
}

test('the sound without the selected atoms is that of the others, before anything was filled in', async () => {
  const { atoms, player, listen } = await opened();
  await listen();
  const others = await new Synthesiser(scene, atoms, amplitudesOf(atoms, scene)).first(
    1,
    atoms.selected,
  );
  const heard = player.buffers.masked;
  assert.equal(heard.length, others[0].length);
  others.forEach((samples, c) =>
    samples.forEach((v, i) => assert.ok(Math.abs(heard.getChannelData(c)[i] - v) < 1e-6)),
  );
});

test('it is gone with the selection, and where something stays known of the atoms', async () => {
  const { atoms, player, page, listen } = await opened();
  await listen();
  player.version = 'masked';
  page.erases = false;
  await listen();
  assert.deepEqual([player.buffers.masked, page.gone], [undefined, 1]);
  page.erases = true;
  await listen();
  assert.ok(player.buffers.masked);
  atoms.selected.fill(0);
  await listen();
  assert.equal(player.buffers.masked, undefined);
});

test('the masked version of a fill stays its own', async () => {
  const { player, page, listen } = await opened();
  page.chosen = false;
  await listen();
  assert.equal(player.buffers.masked, undefined);
});
