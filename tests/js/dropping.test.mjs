import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sortFiles } from '../../atomizer/ui/static/panels/dropping.js';

const ENDINGS = ['.wav', '.flac', '.mp3', '.ogg'];
const file = (name, type = '') => ({ name, type });
const names = (files) => sortFiles(files, ENDINGS).readable.map(({ name }) => name);
const textOf = (...files) =>
  sortFiles(
    files.map((name) => file(name)),
    ENDINGS,
  ).text;

test('of several files those that can be read are offered', () => {
  const files = [
    ...[file('one.WAV'), file('cover.jpg', 'image/jpeg'), file('take', 'audio/x-new')],
    ...[file('mine.atomizer'), file('settings.json', 'application/json'), file('notes.wav.txt')],
  ];
  assert.deepEqual(names(files), ['one.WAV', 'take', 'mine.atomizer', 'settings.json']);
  assert.deepEqual(names([file('cover.jpg')]), ['cover.jpg'], 'Python says what is wrong with it');
});

test('a sentence names what was left out, and what is accepted', () => {
  assert.equal(textOf('a.wav', 'b.wav'), '');
  assert.equal(
    textOf('a.wav', 'b.txt'),
    'Left out: b.txt. Accepted are sounds (.wav, .flac, .mp3 and others), ' +
      'sessions (.atomizer), and settings or selections (.json).',
  );
  const many = textOf('a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg');
  assert.match(many, /^Left out: a.jpg, b.jpg, c.jpg, 2 more\. Accepted/);
});
