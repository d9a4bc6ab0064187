// Which colour every atom gets: by what is looked at, what is selected, and which version is heard.

import { FILLED, HIDDEN, KEPT, UNKNOWN } from './atoms.js';
import * as format from '../util/format.js';

/**
 * Set `atoms.kind`, the row of the colour table, or HIDDEN.
 *
 * look   {colour: "sign", "state", "channel", "rank" or "scale", version, channel: number or null, pending: the selection was not filled in yet,
 *         ranks: rank of every atom of the scene or null, first: number of atoms or null for all}
 * rows   Map of kinds to rows of the table; classes: how many ranges of rank there are
 */
export function paintKinds(atoms, look, rows, classes) {
  const { colour, version, channel, pending, ranks, first } = look,
    { count, state, selected, sign, source } = atoms;
  const negative = rows.get('negative'),
    positive = rows.get('positive'),
    unknown = rows.get('unknown'),
    kept = rows.get('kept'),
    filled = rows.get('filled');
  const firstChannel = rows.get('channel 0'),
    firstRank = rows.get('rank 0'),
    perClass = ranks ? Math.max(1, ranks.length) / classes : 1;
  for (let i = 0; i < count; i++) {
    const s = state[i];
    if (channel !== null && atoms.channel[i] !== channel) {
      atoms.kind[i] = HIDDEN;
      continue;
    }
    if ((version === 'masked' && s !== KEPT) || (version === 'change' && s !== FILLED)) {
      atoms.kind[i] = HIDDEN;
      continue;
    }
    const rank = ranks ? ranks[source ? source[i] : i] : undefined; // undefined for what was filled in
    if (version === 'first' && first !== null && !(rank < first)) {
      atoms.kind[i] = HIDDEN;
      continue;
    }
    if (
      (s === UNKNOWN && version !== 'original') ||
      (pending && selected[i] && s !== FILLED && version !== 'first')
    ) {
      atoms.kind[i] = unknown;
      continue;
    }
    if (colour === 'state') atoms.kind[i] = s === FILLED ? filled : kept;
    else if (colour === 'channel') atoms.kind[i] = firstChannel + atoms.channel[i];
    else if (colour === 'scale' && atoms.scale) atoms.kind[i] = firstChannel + atoms.scale[i];
    else if (colour === 'rank')
      atoms.kind[i] =
        rank === undefined
          ? filled
          : firstRank + Math.min(classes - 1, Math.floor(rank / perClass));
    else atoms.kind[i] = sign[i] ? positive : negative;
  }
}

/** What the legend lists: [[kind, text], …]; `scales` are the lengths of the windows of a pursuit. */
export function legendOf(colour, channels, classes, scales = []) {
  const rows = {
    sign: [
      ['negative', 'negative'],
      ['positive', 'positive'],
    ],
    state: [
      ['kept', 'kept'],
      ['filled', 'filled in'],
    ],
    channel: Array.from({ length: channels }, (_, c) => [
      'channel ' + c,
      format.channel(c, channels),
    ]),
    scale: scales.length
      ? scales.map((length, s) => ['channel ' + s, format.count(length) + ' samples'])
      : [
          ['negative', 'negative'],
          ['positive', 'positive'],
        ],
    rank: [
      ['rank 0', 'first'],
      ['rank ' + (classes >> 1), 'midway'],
      ['rank ' + (classes - 1), 'last'],
    ],
  }[colour];
  return [...rows, ['unknown', 'unknown']];
}
