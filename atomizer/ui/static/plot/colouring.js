// The colour of every atom: by the chosen feature, the selection, and the version that plays.

import { FILLED, HIDDEN, KEPT, UNKNOWN } from './atoms.js';
import * as format from '../util/format.js';

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
  const rowOf = (/** @type {string} */ name) => rows.get(name) ?? HIDDEN;
  const { count, state, selected, sign, channel, colourRow } = atoms;
  const table = rowsOfKinds(style, rowOf);
  for (let i = 0; i < count; i++)
    colourRow[i] = table[state[i] | (selected[i] << 2) | (sign[i] << 3) | (channel[i] << 4)];
  const { colour, version, revealed } = style;
  const isByScale = colour === 'scale' && !!atoms.scale;
  if (version === 'first' || revealed || colour === 'rank' || isByScale)
    colourByAtom(atoms, style, rowOf, rankClasses);
}

/** Row of every kind of atoms, by the bits of their state (2), selection, sign and channel (3).
 * @param {import('../types').ColourStyle} style
 * @param {(name: string) => number} rowOf */
function rowsOfKinds({ colour, version, pending, channel }, rowOf) {
  return Uint8Array.from({ length: 128 }, (_, kind) => {
    const state = kind & 3;
    const isSelected = (kind >> 2) & 1;
    const side = (kind >> 3) & 1 ? 'positive' : 'negative';
    const own = kind >> 4;
    if (channel !== null && own !== channel) return HIDDEN;
    if (version === 'masked' && state !== KEPT) return HIDDEN;
    if (version === 'change' && state !== FILLED) return HIDDEN;
    const isPending = pending && isSelected && state !== FILLED && version !== 'first';
    if (isPending || (state === UNKNOWN && version !== 'original')) return rowOf('unknown');
    if (colour === 'state') return rowOf(state === FILLED ? 'filled' : 'kept');
    if (colour === 'channel') return rowOf('channel 0') + own;
    return rowOf(state === FILLED ? 'filled ' + side : side);
  });
}

/** Change the rows of atoms whose colour depends on more than their kind.
 * @param {import('../types').Atoms} atoms
 * @param {import('../types').ColourStyle} style
 * @param {(name: string) => number} rowOf
 * @param {number} rankClasses */
function colourByAtom(atoms, style, rowOf, rankClasses) {
  const { colour, version, ranks, first, revealed } = style;
  const { count, state, source, scale, colourRow } = atoms;
  const unknown = rowOf('unknown');
  const perClass = ranks ? Math.max(1, ranks.length) / rankClasses : 1;
  for (let i = 0; i < count; i++) {
    if (colourRow[i] === HIDDEN) continue;
    const rank = ranks?.[source ? source[i] : i]; // filled-in atoms have none
    const isFirst = version !== 'first' || first === null || (rank !== undefined && rank < first);
    const isRevealed = !revealed || state[i] !== FILLED || revealed.ranks[i] < revealed.count;
    if (!isFirst || !isRevealed) colourRow[i] = HIDDEN;
    else if (colourRow[i] === unknown) continue;
    else if (colour === 'scale' && scale) colourRow[i] = rowOf('channel 0') + scale[i];
    else if (colour === 'rank' && rank === undefined) colourRow[i] = rowOf('filled');
    else if (colour === 'rank' && rank !== undefined)
      colourRow[i] = rowOf('rank 0') + Math.min(rankClasses - 1, Math.floor(rank / perClass));
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
