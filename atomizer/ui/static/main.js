// The component: it owns the selection, shows what Python sends, and wires tools, keys, player and picture together.
// Runs inside gr.HTML's js_on_load, where `element`, `props`, `trigger` and `watch` are given.

const root = element.querySelector('.atom-view');
const find = (name) => root.querySelector('[data-name="' + name + '"]');
const VERSIONS = ['original', 'masked', 'filled'];
const NOTES = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'];

const state = {
  scene: null, original: null, filled: null, partBits: null, resultNumber: 0, resultKey: null, busy: false,
  items: [], undo: [], redo: [], op: 'add', channel: null, colour: 'sign', version: 'original', looping: false,
  selectedCount: 0, messageNumber: 0, steps: 0,
};

const player = new Player(() => { syncButtons(); showPosition(); if (player.playing) tick(); });
const picture = new Picture({ plot: find('plot'), canvas: find('canvas'), playhead: find('playhead') }, {
  drawn: (shape) => (shape ? change([...state.items, withChannel(picture.itemOf(shape, { op: state.op }))]) : picture.setItems(state.items)),
  edited: (shapes) => change(itemsFromShapes(shapes)),
  seek: (seconds) => player.seek(seconds),
  hover: (x, y) => { state.pointer = [x, y]; requestAnimationFrame(showHover); },
  leave: () => { state.pointer = null; find('hover').textContent = ''; },
  moved: () => showPosition(),
  rethemed: () => showLegend(),
});
picture.paint = paint;
root.atomView = { state, player, picture };   // for tests and for the curious

// ---------- what is drawn

/** The atoms that the chosen version shows. */
function shownAtoms() {
  if (!state.filled || (state.version !== 'filled' && !pending())) return state.original;
  return state.version === 'original' ? state.original : state.filled;
}

/** Whether the selection has changed since the last fill answered it, or was never filled. */
const pending = () => !state.filled || state.resultKey !== forPython(state.items).key;

const visible = (atoms, i) => state.channel === null || atoms.channel[i] === state.channel;

function baseKind(atoms, i) {
  if (state.colour === 'channel') return FIRST_CHANNEL + atoms.channel[i];
  if (state.colour === 'state') return atoms.state[i] === FILLED ? 3 : 0;
  return atoms.sign[i] ? 1 : 0;
}

/** Function (atoms, i) -> kind of colour, for the chosen version: unknown atoms are shadows, erased ones are left out. */
function kindRule() {
  const fresh = pending(), atoms = shownAtoms(), whole = atoms === state.original;
  return (a, i) => {
    if (!visible(a, i)) return -1;
    if (state.version === 'masked' && (whole ? a.selected[i] : a.state[i] !== KEPT)) return -1;
    if (!whole && a.state[i] === UNKNOWN) return 2;
    if (fresh && a.selected[i] && a.state[i] !== FILLED) return 2;
    return baseKind(a, i);
  };
}

function paint(pixels, plane, table) {
  const atoms = shownAtoms();
  if (atoms) splat(pixels, atoms, plane, table, state.scene, kindRule());
}

function showHover() {
  const atoms = shownAtoms();
  if (!state.pointer || !atoms) return;
  const i = nearestAtom(atoms, picture.plane(), ...state.pointer, visible);
  find('hover').textContent = i < 0 ? '' : describeAtom(atoms, i);
}

function describeAtom(atoms, i) {
  const f = atoms.hertz[i], semitone = Math.round(69 + 12 * Math.log2(f / 440));
  const db = state.scene.floor_db * (1 - atoms.brightness[i] / 255);
  const status = atoms.state[i] === FILLED ? ' · filled in' : atoms.state[i] === UNKNOWN || atoms.selected[i] ? ' · unknown' : '';
  return atoms.time[i].toFixed(2) + ' s · ' + Math.round(f) + ' Hz ' + NOTES[((semitone % 12) + 12) % 12] + (Math.floor(semitone / 12) - 1) +
    ' · ' + db.toFixed(0).replace('-', '−') + ' dB · ' + (atoms.sign[i] ? '+' : '−') +
    (state.scene.channels > 1 ? ' · ch ' + atoms.channel[i] : '') + status;
}

// ---------- the selection

const withChannel = (item) => (state.channel === null ? item : { ...item, channels: [state.channel] });

function itemsFromShapes(shapes) {
  const named = new Map(shapes.map((shape) => [Number(shape.name), shape]));
  return state.items.map((item, index) => (named.has(index) ? picture.itemOf(named.get(index), item) : item));
}

function change(items) {
  state.undo.push(state.items);
  state.redo = [];
  return setItems(items);
}

function stepBack(from, to) {
  if (!from.length) return;
  to.push(state.items);
  setItems(from.pop());
}

function setItems(items) {
  state.items = items;
  if (!items.some((item) => item.part)) state.partBits = null;
  publish();
  trigger('selected');
  return picture.setItems(items);
}

/** Make the selection the component's value, at once, so that a fill that is clicked next sees it. */
function publish() {
  props.value = forPython(state.items);
  markAll();
  showChips();
  if (state.looping) player.loop(spanOf(state.items, player.duration()));
  syncButtons();
  picture.redraw();
}

function markAll() {
  if (!state.scene) return;
  const bits = state.partBits && state.partBits.key === partsKey() ? state.partBits.bits : null;
  state.selectedCount = markSelected(state.original, state.items, state.scene, bits);
  if (state.filled) markSelected(state.filled, state.items, state.scene, null);
  root.dataset.selected = state.selectedCount;
}

const partsKey = () => JSON.stringify(forPython(state.items).specs);

function showChips() {
  const list = find('chips');
  list.replaceChildren(...state.items.map((item, index) => {
    const chip = document.createElement('button');
    chip.type = 'button';
    chip.className = 'chip' + (item.op === 'subtract' ? ' subtract' : '');
    chip.dataset.remove = index;
    chip.textContent = (item.op === 'subtract' ? '− ' : '') + nameOf(item) + ' ×';
    chip.title = 'Remove this from the selection';
    return chip;
  }));
}

function addPreset() {
  const name = find('preset').value;
  try {
    const item = preset(name, parseFloat(find('first').value), parseFloat(find('second').value), state.scene ? state.scene.channels : 1);
    change([...state.items, name === 'channel' || item.part ? item : withChannel(item)]);
  } catch (error) {
    say(error.message);
  }
}

const PRESETS = { above: ['Hz', 8000], below: ['Hz', 200], time: ['s', 2, 3], after: ['s', 5], channel: ['', 0], random: ['%', 50], quietest: ['%', 90], loudest: ['%', 5] };

function showPreset() {
  const [unit, first, second] = PRESETS[find('preset').value];
  find('first').value = first;
  find('unit').textContent = unit;
  find('second').value = second ?? '';
  find('span').hidden = second === undefined;
}

// ---------- what Python sends

const files = async (file) => (await fetch(file.url)).arrayBuffer();

let waiting = null, working = false;

/** Messages are complete, so only the newest one matters. */
async function receive() {
  const message = props.value;
  if (!message || typeof message !== 'object' || !message.number) return;
  props.value = forPython(state.items);   // the value is the selection, whatever Python has sent
  if (message.number <= state.messageNumber) return;
  waiting = message;
  if (working) return;
  working = true;
  while (waiting) {
    const next = waiting;
    waiting = null;
    state.messageNumber = next.number;
    try {
      await show(next);
    } catch (error) {
      say('This could not be shown: ' + error.message);
    }
  }
  working = false;
}

async function show(message) {
  if (message.scene && (!state.scene || state.scene.id !== message.scene.id)) await showScene(message.scene);
  await showParts(message.parts);
  await showResult(message.result, message.busy);
  showBusy(message);
  await player.load(message.sounds);
  if (message.result && message.result.finished && state.announced !== message.result.number) {
    state.announced = message.result.number;
    chooseVersion('filled');
  }
  if (!message.busy && message.result && !message.sounds.filled) chooseVersion('original');
  showDownload(message.download);
  syncButtons();
  root.dataset.message = message.number;
}

async function showScene(scene) {
  const atoms = unpack(await files(scene.atoms), scene.count, scene);
  const another = !state.scene || state.scene.sound !== scene.sound;
  Object.assign(state, { scene, original: atoms, filled: null, resultKey: null, resultNumber: 0, partBits: null, version: 'original' });
  if (another) {
    player.silence();
    player.offset = 0;
    Object.assign(state, { items: [], undo: [], redo: [], channel: null, looping: false, announced: 0 });
    player.loopSpan = null;
  }
  showChannels();
  showTitle();
  find('empty').hidden = true;
  await picture.show(scene);
  await picture.setItems(state.items);
  publish();
  root.dataset.scene = scene.id;
}

async function showParts(parts) {
  if (!parts || (state.partBits && state.partBits.url === parts.bits.url)) return;
  state.partBits = { key: parts.key, url: parts.bits.url, bits: new Uint8Array(await files(parts.bits)) };
  markAll();
  picture.redraw();
}

async function showResult(result, busy) {
  if (!result) {
    if (state.filled) Object.assign(state, { filled: null, resultKey: null, resultNumber: 0, version: 'original' });
  } else if (result.number !== state.resultNumber) {
    state.filled = unpack(await files(result.atoms), result.count, state.scene);
    Object.assign(state, { resultNumber: result.number, resultKey: result.key || null });
    if (busy) state.version = 'filled';
    if (result.done) state.steps++;
    markAll();
  }
  picture.redraw();
}

function showBusy({ busy, result, status }) {
  state.busy = busy;
  root.classList.toggle('busy', busy);
  find('progress').style.width = busy && result ? (100 * result.done) / result.total + '%' : '0';
  if (status) say(status);
}

function showDownload(file) {
  const link = find('download');
  link.classList.toggle('off', !file);
  if (file) Object.assign(link, { href: file.url, download: file.orig_name });
  else link.removeAttribute('href');
}

function showTitle() {
  const { name, duration, channels, sound_rate: rate, count, total } = state.scene;
  find('name').textContent = name;
  find('facts').textContent = [duration.toFixed(1) + ' s', channels === 1 ? 'mono' : channels === 2 ? 'stereo' : channels + ' channels',
    +(rate / 1000).toFixed(2) + ' kHz', total.toLocaleString('en') + ' atoms' + (count < total ? ', the ' + count.toLocaleString('en') + ' loudest drawn' : '')].join(' · ');
}

function showChannels() {
  const choose = find('channel'), names = Array.from({ length: state.scene.channels }, (_, k) => 'channel ' + k);
  choose.replaceChildren(...['all channels', ...names].map((text, k) => new Option(text, k ? k - 1 : '')));
  choose.hidden = state.scene.channels === 1;
  state.channel = null;
}

function showLegend() {
  const all = ramps(picture.dark), bar = (stops, text) => {
    const label = document.createElement('span'), swatch = document.createElement('i');
    swatch.style.background = cssGradient(stops);
    label.append(swatch, text);
    return label;
  };
  const kinds = { sign: [[0, 'negative'], [1, 'positive'], [2, 'unknown']], state: [[0, 'kept'], [2, 'unknown'], [3, 'filled in']] }[state.colour]
    || [...Array(state.scene ? state.scene.channels : 1).keys()].map((k) => [FIRST_CHANNEL + k, 'channel ' + k]).concat([[2, 'unknown']]);
  find('legend').replaceChildren(...kinds.map(([kind, text]) => bar(all[kind], text)));
}

const say = (text) => { find('status').textContent = text; };

// ---------- player and buttons

const clock = (x) => Math.floor(x / 60) + ':' + (x % 60).toFixed(1).padStart(4, '0');

function showPosition() {
  const at = player.position();
  picture.placeHead(at);
  find('time').textContent = clock(at) + ' / ' + clock(player.duration());
}

let ticking = false;
function tick() {
  if (ticking) return;
  ticking = true;
  const next = () => {
    ticking = player.playing;
    if (player.ended()) player.rewind();
    showPosition();
    if (player.playing) requestAnimationFrame(next);
    else ticking = false;
  };
  requestAnimationFrame(next);
}

function chooseVersion(version) {
  if (!player.buffers[version]) return;
  state.version = version;
  player.choose(version);
  picture.redraw();
}

const actions = {
  box: () => picture.setTool('box'), lasso: () => picture.setTool('lasso'), move: () => picture.setTool('move'),
  zoom: () => picture.setTool('zoom'), pan: () => picture.setTool('pan'),
  fit: () => picture.fit(),
  log: () => picture.setLog(!picture.log),
  subtract: () => { state.op = state.op === 'add' ? 'subtract' : 'add'; },
  undo: () => stepBack(state.undo, state.redo), redo: () => stepBack(state.redo, state.undo),
  clear: () => { if (state.items.length) change([]); },
  invert: () => {
    const items = inverted(state.items);
    if (items) change(items);
    else say('A random, quietest or loudest part cannot be inverted.');
  },
  preset: () => addPreset(),
  play: () => player.toggle(),
  loop: () => { state.looping = !state.looping; player.loop(state.looping ? spanOf(state.items, player.duration()) : null); },
};

async function act(name) {
  if (!state.scene) return;
  await actions[name]();
  syncButtons();
}

function syncButtons() {
  const pressed = { [picture.tool]: true, subtract: state.op === 'subtract', log: picture.log, loop: state.looping, play: player.playing };
  const off = { undo: !state.undo.length, redo: !state.redo.length, clear: !state.items.length, play: !player.buffers.original };
  for (const button of root.querySelectorAll('[data-act]')) {
    const name = button.dataset.act;
    if (button.hasAttribute('aria-pressed')) button.setAttribute('aria-pressed', String(!!pressed[name]));
    button.disabled = !state.scene || !!off[name];
  }
  for (const button of root.querySelectorAll('[data-version]')) {
    const version = button.dataset.version;
    button.setAttribute('aria-checked', String(state.version === version));
    button.disabled = !player.buffers[version];
  }
  find('play-label').textContent = player.playing ? 'Pause' : 'Play';
}

root.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.act) act(button.dataset.act);
  else if (button.dataset.version) chooseVersion(button.dataset.version);
  else if (button.dataset.remove) change(state.items.filter((_, index) => index !== Number(button.dataset.remove)));
});
find('preset').addEventListener('change', showPreset);
find('channel').addEventListener('change', (event) => { state.channel = event.target.value === '' ? null : Number(event.target.value); picture.redraw(); });
find('colour').addEventListener('change', (event) => { state.colour = event.target.value; showLegend(); picture.redraw(); });

const KEYS = { ' ': 'play', b: 'box', l: 'lasso', v: 'move', z: 'zoom', h: 'pan', 0: 'fit', y: 'log', s: 'subtract', i: 'invert', r: 'loop', Escape: 'clear' };
document.addEventListener('keydown', (event) => {
  // keys work wherever nothing else is being typed or pressed
  const inside = root.contains(event.target);
  if (!inside && event.target !== document.body) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    if (event.key === 'Enter' && inside) act('preset');
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z') {
    event.preventDefault();
    return act(event.shiftKey ? 'redo' : 'undo');
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === ' ' && event.target.tagName === 'BUTTON') return;
  if (VERSIONS[event.key - 1]) return chooseVersion(VERSIONS[event.key - 1]);
  if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
    event.preventDefault();
    return player.seek(player.position() + (event.key === 'ArrowLeft' ? -1 : 1));
  }
  if (KEYS[event.key]) {
    event.preventDefault();
    act(KEYS[event.key]);
  }
});

(async () => {
  showPreset();
  showLegend();
  syncButtons();
  await picture.open();
  watch('value', receive);
  root.dataset.ready = 'true';
  await receive();
})();
