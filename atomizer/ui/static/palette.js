// Colours of the atoms. Blue and orange differ for every kind of colour vision; brightness carries the velocity.

const STOPS = {
  light: {
    paper: [255, 255, 255],
    negative: [[226, 236, 250], [96, 150, 222], [22, 78, 168], [8, 34, 92]],
    positive: [[252, 234, 220], [240, 150, 82], [194, 74, 12], [96, 30, 4]],
    shadow: [[236, 237, 241], [206, 209, 217], [166, 170, 182], [128, 132, 146]],
    filled: [[220, 243, 236], [72, 186, 156], [8, 122, 98], [2, 62, 50]],
  },
  dark: {
    paper: [13, 16, 23],
    negative: [[17, 27, 48], [34, 92, 190], [86, 164, 255], [206, 234, 255]],
    positive: [[40, 24, 16], [176, 78, 20], [255, 154, 64], [255, 234, 200]],
    shadow: [[24, 27, 35], [52, 56, 68], [84, 89, 104], [128, 134, 150]],
    filled: [[14, 36, 34], [10, 118, 98], [52, 208, 172], [206, 255, 240]],
  },
};

// Okabe and Ito's eight, for channels
const CHANNEL_COLOURS = [[0, 114, 178], [230, 120, 0], [0, 158, 115], [204, 90, 160], [86, 180, 233], [190, 160, 0], [213, 94, 0], [128, 128, 128]];

const KINDS = ['negative', 'positive', 'shadow', 'filled'];
const FIRST_CHANNEL = KINDS.length;

const packed = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

function along(stops, x) {
  const at = Math.min(x * (stops.length - 1), stops.length - 1 - 1e-6), i = Math.floor(at), part = at - i;
  return stops[i].map((value, k) => Math.round(value + (stops[i + 1][k] - value) * part));
}

function channelStops(colour, theme) {
  const mix = (a, b, part) => a.map((value, k) => value + (b[k] - value) * part);
  const end = theme === STOPS.dark ? [255, 255, 255] : [0, 0, 0];
  return [mix(theme.paper, colour, 0.15), mix(theme.paper, colour, 0.65), colour, mix(colour, end, 0.45)];
}

/** The stops of every kind of atom, in the order of the colour table. */
function ramps(dark) {
  const theme = dark ? STOPS.dark : STOPS.light;
  return [...KINDS.map((kind) => theme[kind]), ...CHANNEL_COLOURS.map((colour) => channelStops(colour, theme))];
}

const GAMMA = 1.4;   // quiet atoms step back: most of a recording is quiet

/** Uint32Array: the pixel of kind * 256 + brightness. */
function colourTable(dark) {
  const all = ramps(dark), table = new Uint32Array(all.length * 256);
  all.forEach((stops, kind) => {
    for (let brightness = 0; brightness < 256; brightness++) table[kind * 256 + brightness] = packed(along(stops, (brightness / 255) ** GAMMA));
  });
  return table;
}

const paperPixel = (dark) => packed((dark ? STOPS.dark : STOPS.light).paper);

const cssGradient = (stops) => 'linear-gradient(90deg,' + stops.map((c) => 'rgb(' + c.map(Math.round).join(',') + ')').join(',') + ')';
