// Numbers as text.

const NOTES = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'];

/** "440 Hz", "2.54 kHz".
 * @param {number} f */
export const hertz = (f) =>
  f >= 1000 ? +(f / 1000).toPrecision(3) + ' kHz' : Math.round(f) + ' Hz';

/** "1.25 s".
 * @param {number} t */
export const seconds = (t) => +t.toFixed(2) + ' s';

/** "−12 dB".
 * @param {number} db */
export const decibels = (db) => db.toFixed(0).replace('-', '−') + ' dB';

/** "200,000".
 * @param {number} n */
export const count = (n) => n.toLocaleString('en');

/** Name of a channel among others; files and Python use its number.
 * @param {number} c
 * @param {string[]} names */
export const channel = (c, names) => names[c] ?? 'channel ' + c;

/** Names of the channels of a scene: left and right, or mid and side.
 * @param {{channels: number, channel_names?: string[]} | null} scene */
export function channelNames(scene) {
  if (scene?.channel_names?.length) return scene.channel_names;
  const count = scene?.channels ?? 1;
  return count === 2 ? ['left', 'right'] : Array.from({ length: count }, (_, c) => channel(c, []));
}

/** Name of an ordering: "by time", "random".
 * @param {string} name */
export const ordering = (name) => (name === 'random' ? name : 'by ' + name);

/** "346 kB", "2.3 MB".
 * @param {number} n */
export const bytes = (n) =>
  n < 1e6 ? Math.max(1, Math.round(n / 1e3)) + ' kB' : +(n / 1e6).toPrecision(2) + ' MB';

/** "1:15.3".
 * @param {number} t seconds */
export function clock(t) {
  const tenths = Math.round(10 * t); // rounded first: 59.96 s are 1:00.0
  const rest = (tenths % 600) / 10;
  return Math.floor(tenths / 600) + ':' + rest.toFixed(1).padStart(4, '0');
}

/** "about 4 s", "5 to 25 s", "25 s to 2 min"; empty for no time.
 * @param {import('../types').Range} range least and most seconds */
export function about(range) {
  if (!range[1]) return '';
  const rounded = (/** @type {number} */ t) =>
    t >= 57.5
      ? [Math.round(t / 60), ' min']
      : [Math.max(1, t < 9.5 ? Math.round(t) : 5 * Math.round(t / 5)), ' s'];
  const [[least, unit], [most, last]] = range.map(rounded);
  if (least === most && unit === last) return 'about ' + most + last;
  return least + (unit === last ? '' : '' + unit) + ' to ' + most + last;
}

/** "12.3 %".
 * @param {number} share 0 to 1 */
export function percent(share) {
  if (share > 0 && share < 0.0005) return 'less than 0.1 %';
  return (100 * share).toFixed(share > 0.9995 || share === 0 ? 0 : 1) + ' %';
}

/** Name of the nearest note: "A4".
 * @param {number} f Hz */
export function noteName(f) {
  const semitone = Math.round(69 + 12 * Math.log2(f / 440));
  return NOTES[((semitone % 12) + 12) % 12] + (Math.floor(semitone / 12) - 1);
}

/** Name of the nearest note, with cents if it is 5 or more of them off: "A4", "A4 +30".
 * @param {number} f Hz */
export function note(f) {
  const exact = 69 + 12 * Math.log2(f / 440);
  const cents = Math.round(100 * (exact - Math.round(exact)));
  const name = noteName(f);
  return Math.abs(cents) < 5 ? name : name + (cents > 0 ? ' +' : ' −') + Math.abs(cents);
}

/** "1.2–3.4 s", "300 Hz–3 kHz".
 * @param {number[]} range
 * @param {(value: number) => string} format `seconds` or `hertz` */
export const span = ([from, to], format) =>
  (format === seconds ? +from.toFixed(2) : format(from)) + '–' + format(to);
