import assert from 'node:assert/strict';
import { test } from 'node:test';

import { amplitudesOf, unpackAtoms } from '../../atomizer/ui/static/plot/atoms.js';
import { MaskedPreview } from '../../atomizer/ui/static/audio/masked_preview.js';
import { Player } from '../../atomizer/ui/static/audio/player.js';
import { Synthesiser } from '../../atomizer/ui/static/audio/synthesis.js';
import { packed, scene, someRows } from './help.mjs';

const bufferOf = (channels) => ({
  numberOfChannels: channels.length,
  sampleRate: scene.rate,
  length: channels[0].length,
  getChannelData: (c) => channels[c],
});

/** A masked preview of 30 MDCT atoms, of which the first ten are selected. */
async function opened() {
  const atoms = unpackAtoms(packed(someRows(30)), 30),
    all = await new Synthesiser(scene, atoms, amplitudesOf(atoms, scene)).renderFirst(
      30,
      atoms.source || atoms.frame.map((_, i) => i),
    );
  const player = new Player(() => {}),
    page = { isActive: true, erasesSound: true, removed: 0 };
  player.createBuffer = bufferOf;
  player.audio = () => ({ sampleRate: scene.rate });
  player.buffers.original = bufferOf(all);
  atoms.selected.fill(1, 0, 10);
  const preview = new MaskedPreview(player, {
    isActive: () => page.isActive,
    erasesSound: () => page.erasesSound,
    removed: () => {
      page.removed++;
    },
  });
  return {
    atoms,
    player,
    page,
    update: () => preview.update({ scene, base: scene, original: atoms }),
  };
}

test('the preview is the sound of the atoms that are not selected', async () => {
  const { atoms, player, update } = await opened();
  await update();
  const others = await new Synthesiser(scene, atoms, amplitudesOf(atoms, scene)).renderFirst(
    1,
    atoms.selected,
  );
  const heard = player.buffers.masked;
  assert.equal(heard.length, others[0].length);
  others.forEach((samples, c) =>
    samples.forEach((v, i) => assert.ok(Math.abs(heard.getChannelData(c)[i] - v) < 1e-6)),
  );
});

test('no preview without a selection or with known features', async () => {
  const { atoms, player, page, update } = await opened();
  await update();
  player.version = 'masked';
  page.erasesSound = false;
  await update();
  assert.deepEqual([player.buffers.masked, page.removed], [undefined, 1]);
  page.erasesSound = true;
  await update();
  assert.ok(player.buffers.masked);
  atoms.selected.fill(0);
  await update();
  assert.equal(player.buffers.masked, undefined);
});

test('the masked version of a fill is not replaced', async () => {
  const { player, page, update } = await opened();
  page.isActive = false;
  await update();
  assert.equal(player.buffers.masked, undefined);
});
