// Numbers as people read them.

const NOTES = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'];

export const hertz = (f) =>
  f >= 1000 ? +(f / 1000).toPrecision(3) + ' kHz' : Math.round(f) + ' Hz';
export const seconds = (t) => +t.toFixed(2) + ' s';
export const decibels = (db) => db.toFixed(0).replace('-', '−') + ' dB';
export const count = (n) => n.toLocaleString('en');
/** What people call a channel of a sound of `channels`; files and Python number them. */
export const channel = (c, channels) =>
  channels === 2 && c < 2 ? ['left', 'right'][c] : 'channel ' + c;
export const bytes = (n) =>
  n < 1e6 ? Math.max(1, Math.round(n / 1e3)) + ' kB' : +(n / 1e6).toPrecision(2) + ' MB';
export const clock = (t) => Math.floor(t / 60) + ':' + (t % 60).toFixed(1).padStart(4, '0');

export function percent(share) {
  if (share > 0 && share < 0.0005) return 'less than 0.1 %';
  return (100 * share).toFixed(share > 0.9995 || share === 0 ? 0 : 1) + ' %';
}

/** Name of the nearest note of a frequency, with cents where it is off by more than a few: "A4", "A4 +30". */
export function note(f) {
  const exact = 69 + 12 * Math.log2(f / 440),
    semitone = Math.round(exact),
    cents = Math.round(100 * (exact - semitone));
  const name = NOTES[((semitone % 12) + 12) % 12] + (Math.floor(semitone / 12) - 1);
  return Math.abs(cents) < 5 ? name : name + (cents > 0 ? ' +' : ' −') + Math.abs(cents);
}

/** "1.2–3.4 s", "300 Hz–3 kHz". */
export const span = ([from, to], word) =>
  (word === seconds ? +from.toFixed(2) : word(from)) + '–' + word(to);
