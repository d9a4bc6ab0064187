// The colour of every atom: by the chosen feature, the selection, and the version that plays.

import { FILLED, HIDDEN, KEPT, UNKNOWN } from './atoms.js';
import * as format from '../util/format.js';

/** Whether an atom is part of the version that plays, and of the channel that is shown.
 * @param {import('../types').Atoms} atoms
 * @param {number} i
 * @param {import('../types').ColourStyle} style
 * @param {number | undefined} rank */
function isVisible(atoms, i, { version, channel, first, revealed }, rank) {
  const state = atoms.state[i];
  if (revealed && state === FILLED && revealed.ranks[i] >= revealed.count) return false;
  if (channel !== null && atoms.channel[i] !== channel) return false;
  if (version === 'masked') return state === KEPT;
  if (version === 'change') return state === FILLED;
  return version !== 'first' || first === null || (rank !== undefined && rank < first);
}

/**
 * Set `atoms.colourRow`.
 *
 * `style.pending` means that the selection was not filled in yet: its atoms are unknown. `ranks`
 * are those of the scene's atoms, and `first` is how many of them the version "first" has.
 * @param {import('../types').Atoms} atoms
 * @param {import('../types').ColourStyle} style
 * @param {Map<string, number>} rows rows of the colour table by name
 * @param {number} rankClasses number of colours for ranks
 */
export function colourAtoms(atoms, style, rows, rankClasses) {
  const { colour, version, pending, ranks } = style;
  const { count, state, selected, sign, source, colourRow } = atoms;
  const row = (/** @type {string} */ name) => rows.get(name) ?? HIDDEN;
  const [negative, positive, unknown] = ['negative', 'positive', 'unknown'].map(row);
  const [filledNegative, filledPositive] = ['filled negative', 'filled positive'].map(row);
  const [kept, filled, firstChannel, firstRank] = ['kept', 'filled', 'channel 0', 'rank 0'].map(
    row,
  );
  const perClass = ranks ? Math.max(1, ranks.length) / rankClasses : 1;
  for (let i = 0; i < count; i++) {
    const s = state[i];
    const rank = ranks?.[source ? source[i] : i]; // filled-in atoms have none
    const isUnknown =
      (s === UNKNOWN && version !== 'original') ||
      (pending && selected[i] && s !== FILLED && version !== 'first');
    if (!isVisible(atoms, i, style, rank)) colourRow[i] = HIDDEN;
    else if (isUnknown) colourRow[i] = unknown;
    else if (colour === 'state') colourRow[i] = s === FILLED ? filled : kept;
    else if (colour === 'channel') colourRow[i] = firstChannel + atoms.channel[i];
    else if (colour === 'scale' && atoms.scale) colourRow[i] = firstChannel + atoms.scale[i];
    else if (colour === 'rank')
      colourRow[i] =
        rank === undefined
          ? filled
          : firstRank + Math.min(rankClasses - 1, Math.floor(rank / perClass));
    else if (s === FILLED) colourRow[i] = sign[i] ? filledPositive : filledNegative;
    else colourRow[i] = sign[i] ? positive : negative;
  }
}

/** Entries of the legend: [name of the row, text].
 * @param {string} colour
 * @param {string[]} channels names
 * @param {number} rankClasses
 * @param {number[]} [scales] window lengths of a pursuit
 * @returns {[string, string][]} */
export function legendEntries(colour, channels, rankClasses, scales = []) {
  /** @type {[string, string][]} */
  const signs = [
    ['mixed', 'level'],
    ['negative', 'negative'],
    ['positive', 'positive'],
    ['filled mixed', 'filled in'],
  ];
  /** @type {Record<string, [string, string][]>} */
  const entries = {
    sign: signs,
    state: [
      ['kept', 'kept'],
      ['filled', 'filled in'],
    ],
    channel: channels.map((name, c) => ['channel ' + c, name]),
    scale: scales.length
      ? scales.map((length, s) => ['channel ' + s, format.count(length) + ' samples'])
      : signs,
    rank: [
      ['rank 0', 'first'],
      ['rank ' + (rankClasses >> 1), 'midway'],
      ['rank ' + (rankClasses - 1), 'last'],
    ],
  };
  return [...entries[colour], ['unknown', 'unknown']];
}
