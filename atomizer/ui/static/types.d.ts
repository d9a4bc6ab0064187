// Types shared by the modules of the page: what Python sends (message.py), and what the page
// makes of it. Only the type checker reads this file (tsconfig.json); the browser never loads it.

export type Point = [seconds: number, hertz: number];
/** [from, to]; null means no limit. */
export type Span = [number | null, number | null];
export type Range = [number, number];

/** A region of the time-frequency plane, as `Region` of atoms/selection.py takes it. */
export interface Region {
  kind: 'rect' | 'lasso' | 'brush';
  op?: 'add' | 'subtract';
  channels?: number[] | null;
  t?: Span | null;
  f?: Span | null;
  points?: Point[];
  /** Half axes of a brush: seconds, and Hz or octaves. */
  size?: [number, number];
  scale?: 'linear' | 'log';
}

/** One entry of the selection: a region, a harmonic stroke (several regions), or a part by rank. */
export interface Item extends Partial<Region> {
  part?: string;
  everything?: boolean;
  harmonics?: number;
}

export interface Payload {
  regions: Region[];
  specs: string[];
  key: string;
}

export interface FileLink {
  url: string;
  orig_name?: string;
}

export interface Scene {
  id: string;
  sound: string;
  name: string;
  rate: number;
  hop: number;
  frames: number;
  floor_db: number;
  loudest: number;
  energy: number;
  duration: number;
  channels: number;
  sound_rate: number;
  total: number;
  count: number;
  is_mapped?: boolean;
  atoms: FileLink;
  added?: Item[];
  channel_names?: string[];
  atomizer?: string;
  scales?: number[];
  bins?: number;
  srr_db?: number | null;
}

export interface Result {
  number: number;
  scene: Scene;
  hidden: FileLink;
  count: number;
  atoms: FileLink;
  masked: FileLink;
  done: number;
  total: number;
  key: string;
}

/** A span of the recording that was copied into a fill. */
export interface Source {
  target: Range;
  source: Range;
  confidence: number;
}

export interface Variation extends Result {
  id: number;
  label: string;
  title: string;
  details: [string, string][];
  heard: number;
  snr_db: number | null;
  level_db: number | null;
  lsd: number | null;
  has_reference: boolean;
  seconds: number;
  order: string;
  reverse: boolean;
  sound: FileLink;
  origin: string;
  sources: Source[];
  changed: string;
  spans: Range[];
  proposal: Proposal | null;
  /** How a session file says that the fill is changed. */
  shape?: Shape | null;
}

/** What undo and redo bring back; every edit replaces one of the two. */
export interface Edits {
  items: Item[];
  shapes: ReadonlyMap<number, Shape>;
  /** Id of the variation that was filled in again from another source, or that came of it. */
  refilled: number | null;
}

/** How a fill is changed before it is mixed in: `FillShape` of inpainting/shaping.py. */
export interface Shape {
  level_db: number;
  tilt_db: number;
  wet: number;
  width: number;
}

export interface Excerpt {
  start: number;
  seconds: number;
}

export interface ExcerptFile extends Excerpt {
  peaks: FileLink;
  duration: number;
  longest: number;
}

export interface Proposal {
  id: string;
  regions: Region[];
  specs: string[];
  /** Unknown features. */
  features: string[];
  /** Whether the original is what its fills should sound like. */
  has_reference: boolean;
}

export interface Finding {
  kind: string;
  text: string;
  action: string;
  regions: Region[];
  fills: boolean;
}

/** The reference recording, which gives filled highs their levels, and whether one acts. */
export interface Reference {
  name: string;
  /** Id and name of the earlier sounds. */
  sounds: [string, string][];
}

/** The sound as a file of atoms: message.py. */
export interface AtomsFile {
  order: string;
  size: number;
  file: FileLink;
  ends: FileLink;
}

export interface FilePrefix {
  order: string;
  size: number;
  filled: boolean;
  sound: FileLink;
  snr_db: number;
}

export interface Compression {
  files: AtomsFile[];
  prefix: FilePrefix | null;
  order: string;
  curves: { codec: string; kbps: number[]; snr: number[]; visqol: (number | null)[] }[];
  seconds: number;
  measured: number;
  points: number;
  problem: string;
}

/** Boxes at places that are similar to a selected one. */
export interface Places {
  id: string;
  key: string;
  regions: Region[];
}

export interface Message {
  findings: Finding[];
  compression: Compression;
  number: number;
  scene: Scene | null;
  original: FileLink;
  live: Result | null;
  variations: Variation[];
  current: number | null;
  parts: { key: string; bits: FileLink } | null;
  proposal: Proposal | null;
  download: { id: string; file: FileLink } | null;
  places: Places | null;
  refused: string;
  expected: Range;
  additions: Record<string, Range>;
  acting: string[];
  reference: string;
  sounds: [string, string][];
  described: string;
  /** The selection of a settings file. */
  loaded: Proposal | null;
  excerpt: ExcerptFile | null;
  before: string | null;
  layers: string[];
  resume: string;
  note: string;
  example: string;
  status: string;
  /** Whether a fill or a matching pursuit runs, and whether it is the latter. */
  busy: boolean;
  pursues: boolean;
}

/** Atoms, quiet ones first: one typed array per feature. */
export interface Atoms {
  count: number;
  frame: Uint16Array | Uint32Array;
  bin: Uint16Array;
  velocity: Uint16Array;
  sign: Uint8Array;
  channel: Uint8Array;
  state: Uint8Array;
  selected: Uint8Array;
  /** Row of the colour table, or HIDDEN. */
  colourRow: Uint8Array;
  /** Index of each atom in the scene, -1 for filled-in ones; null for the scene itself. */
  source: Int32Array | null;
  /** Index of the window length; matching-pursuit atoms only. */
  scale?: Uint8Array;
  /** Signed amplitudes, computed once. */
  amplitude?: Float32Array;
}

export interface Axes {
  perFrame: number;
  perBin: number;
  seconds: Float64Array;
  hertz: Float64Array;
}

export interface Lane {
  channel: number | null;
  top: number;
  height: number;
}

/** The visible part of the plane in device pixels. */
export interface Plane {
  width: number;
  height: number;
  ratio: number;
  t: Range;
  u: Range;
  unit: (hertz: number) => number;
  lanes: Lane[];
  /** Sizes of atoms in CSS pixels whose sign is a faint tint, and of those that show it fully. */
  tintPixels?: Range;
}

/** A pointer position in CSS pixels, and the point of the plane below it. */
export interface PlanePoint {
  x: number;
  y: number;
  lane: Lane;
  t: number;
  f: number;
  outside?: boolean;
}

/** What a drawn region does: it becomes the selection, is added to it, or taken away. */
export type SelectionMode = 'replace' | 'add' | 'subtract';
export type Version = 'original' | 'masked' | 'filled' | 'change' | 'first';
export type FrequencyScale = 'log' | 'linear' | 'mel';

export interface ColourStyle {
  colour: string;
  version: string;
  channel: number | null;
  pending: boolean;
  ranks: Uint32Array | null;
  first: number | null;
  /** Filled-in atoms whose rank among them is `count` or more are not shown yet. */
  revealed?: Revealed | null;
}

export interface Revealed {
  ranks: Uint32Array;
  count: number;
}

export interface Summary {
  count: number;
  energy: number;
  t: Range;
  f: Range;
}

/** Which atoms a selection takes: `GridSelection` for the MDCT, `PursuitSelection` otherwise. */
export interface AtomSelection {
  set(items: Item[]): void;
  markAtoms(atoms: Atoms, parts: Uint8Array | null): void;
}

/** Renders the atoms whose rank is below n; null if a later call has replaced this one. */
export interface Renderer {
  renderFirst(
    n: number,
    ranks: ArrayLike<number>,
    pause?: () => Promise<unknown>,
  ): Promise<Float32Array<ArrayBuffer>[] | null>;
}

/** What the tools and the region editor need of the picture. */
export interface Projection {
  scale: FrequencyScale;
  scene: Scene;
  atoms: Atoms | null;
  atomAt(point: PlanePoint): number;
  t: Range;
  u: Range;
  /** The whole plane, in seconds and in units of the frequency axis. */
  fullTime: Range;
  fullUnits: Range;
  unit(hertz: number): number;
  hertz(unit: number): number;
  x(seconds: number): number;
  y(hertz: number, lane: Lane): number;
  secondsAt(x: number): number;
  hertzAt(y: number, lane: Lane): number;
}

/** State of one view: which sound is shown, what is selected, and which version plays. */
export interface ViewState {
  /** Scene that is drawn: that of the sound, or of a longer or wider version of it. */
  scene: Scene | null;
  /** Scene of the sound itself. */
  base: Scene | null;
  /** Atoms of the drawn scene. */
  original: Atoms | null;
  /** The same atoms after a fill; null if none is shown. */
  shown: Atoms | null;
  /** The selection, and how many changes of it can be undone and redone. */
  items: Item[];
  /** Shapes of fills whose sliders were moved, by the ids of their variations. */
  shapes: ReadonlyMap<number, Shape>;
  undoSteps: number;
  redoSteps: number;
  selection: AtomSelection | null;
  partBits: { key: string; url: string; bits: Uint8Array } | null;
  variations: Variation[];
  variation: Variation | null;
  /** Id of the variation that the player has. */
  heardId: number | null;
  live: Result | null;
  busy: boolean;
  /** Whether the job that runs is a matching pursuit. */
  pursues: boolean;
  wasFilling: boolean;
  tool: string;
  op: SelectionMode;
  channel: number | null;
  colour: string;
  version: Version;
  looping: boolean;
  playing: boolean;
  /** Whether all versions play equally loud. */
  matched: boolean;
  /** Versions that can be heard. */
  playable: Version[];
  isRenderingMasked: boolean;
  isOrderOpen: boolean;
  /** The variation that was shown last. */
  lastChosenId: number | null;
  isBuildingUp: boolean;
  /** Whether a fill of this page waits, or is being prepared. */
  isQueued: boolean;
  /** Fills of all visitors that come before one of this page that waits; 0 where none waits. */
  ahead: number;
  /** Index of the active item; -1 for none. */
  active: number;
  preview: { item: Item; index: number; replaces?: boolean } | null;
  originalUrl: string | null;
  messageNumber: number;
  /** Sampling steps that were shown; tests wait for them. */
  stepsShown: number;
  /** Id of a proposal -> key of the selection that it became. */
  selectionAliases: Map<string, string>;
  scenes: Map<string, Atoms>;
  /** The user went back to the original: messages do not bring a variation back. */
  showOriginal: boolean;
  /** Views of sounds that were left, by the id of the sound. */
  savedViews: Map<string, SavedView>;
  /** What to show of a sound that is back, until it is shown. */
  returning: SavedView | null;
  lastShownId: number | null;
  proposalId: string | null;
  playedExampleId: string | null;
  /** Erased features that an example has set; null once the user has chosen some. */
  exampleFeatures: string[] | null;
  /** Id and sentence of the example that was loaded last, both empty for none. */
  example: string;
  note: string;
  /** Least and most seconds that a fill of the selection will take; 0 for up to one. */
  expected: Range;
  /** The same of Extend, Widen and Brighten. */
  additions: Record<string, Range>;
  /** Settings that act on some fills alone, and on this one. */
  acting: string[];
  reference: Reference;
  /** What undo leads to. */
  before: string | null;
  /** Names of the accepted fills, the newest last. */
  layers: string[];
  status: string;
  revealed: Revealed | null;
  downloadId: string | null;
  placesId: string | null;
  loadedId: string | null;
  /** Items that were copied. */
  clipboard: Item[];
  findings: Finding[];
  compression: Compression;
  excerpt: ExcerptFile | null;
  /** Sound and selection from before a reload. */
  restored: RestoredSound | null;
  readout: Summary | null;
  feedbackMilliseconds: number;
  /** Key of the selection that Python was notified of last. */
  notifiedKey: string;
  /** Key of the selection that Python has described since; null for none. */
  describedKey: string | null;
}

/** What is shown and heard of a sound. */
export interface SavedView {
  items: Item[];
  showOriginal: boolean;
  shownId: number | null;
  version: Version;
  /** Seconds of the playhead. */
  position: number;
  looping: boolean;
  /** The visible seconds and frequencies. */
  time: Range;
  hertz: Range;
  shapes: ReadonlyMap<number, Shape>;
  /** Values of menus and sliders; only after a reload. */
  fields?: Record<string, string>;
}

/** The same in the storage of the tab, beside the selection, with the sound that it is of. */
export interface StoredView extends Omit<SavedView, 'items' | 'shapes'> {
  sound: string;
  name: string;
  duration: number;
  channels: number;
  total: number;
  shapes: [number, Shape][];
}

export interface StoredSound {
  name: string;
  duration: number;
  channels: number;
  total: number;
  blob: Blob;
  time: number;
}

export interface RestoredSound extends StoredSound {
  items: Item[];
  view: StoredView | null;
  requested?: boolean;
  /** Key of the session that the server may still have; empty once it was requested. */
  resume: string;
  /** Whether another tab shows this session, and this one gets a copy. */
  isCopy: boolean;
  isWaiting?: boolean;
}

export interface ThemeColours {
  paper: number[];
  ramps: number[][][];
}

/** `palette.to_dict()` of Python. */
export interface PaletteConfig {
  gammas: Range;
  tintPixels: Range;
  tints: number;
  faint: number;
  untinted: Record<string, string>;
  kinds: string[];
  channels: number;
  ranks: number;
  themes: { light: ThemeColours; dark: ThemeColours };
}

export interface Config {
  palette: PaletteConfig;
  orderings: string[];
  maxRegions: number;
  maxPoints: number;
  events: string[];
  /** Of the names of sounds that Python reads. */
  endings: string[];
  atomizers: Record<string, string>;
  fileOrderings: string[];
}

export type Trigger = (event: string, payload?: object) => void;

/** What Gradio passes to the script of the component. */
export interface Mount {
  element: HTMLElement;
  props: { value: any };
  trigger: Trigger;
  watch: (name: string, callback: () => void) => void;
  config: Config;
}

type ButtonName =
  'keep-first' | 'revert' | 'excerpt-take' | 'through' | 'file-download' | 'file-compare';
type InputName =
  | 'slide'
  | 'first'
  | 'second'
  | 'radius'
  | 'contrast'
  | 'wand-drop'
  | 'max-partials'
  | 'volume'
  | 'margin'
  | 'selection-file'
  | 'order-place'
  | 'order-reverse';
type SelectName =
  | 'scale'
  | 'pitch'
  | 'channels'
  | 'colour'
  | 'atomizer'
  | 'preset'
  | 'side'
  | 'order-name'
  | 'file-sound';
type DetailsName = 'export-menu' | 'order-curves' | 'order-file' | 'variation-details';
type DialogName = 'keys' | 'how' | 'blind' | 'dropped';
type SvgName = 'excerpt-outline' | 'overlay' | 'play-icon';

/** Finds an element of view.html by its data-name. */
export interface Find {
  (name: ButtonName): HTMLButtonElement;
  (name: InputName): HTMLInputElement;
  (name: SelectName): HTMLSelectElement;
  (name: DetailsName): HTMLDetailsElement;
  (name: DialogName): HTMLDialogElement;
  (name: SvgName): SVGElement;
  (name: 'canvas' | 'wave-canvas'): HTMLCanvasElement;
  (name: string): HTMLElement;
}

declare global {
  /** Plotly.js, which the page loads before the component. */
  const Plotly: any;
}
