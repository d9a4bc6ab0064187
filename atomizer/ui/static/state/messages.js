// What Python sends, and what of it is shown: sounds with their atoms, fills while they run, the history, parts, stories and downloads.
//
// All of that is fetched, and what is fetched may come late: whoever waits for it asks afterwards whether it is still wanted.

import { merge, unpack } from '../plot/atoms.js';
import { download, fetched } from '../util/files.js';
import { choose, isSame } from './persistence.js';
import { cueOf } from '../audio/player.js';
import { Chosen, isPursuit, unpackPursuit } from '../plot/pursuit.js';
import { Cells, forPython, fromPython } from './selection.js';
import { showVariations } from '../panels/variations.js';

const NARROW = '(max-width: 900px)',
  STILL = '(prefers-reduced-motion: reduce)';

/** The bytes of a file that Python names. */
export const bytesOf = async (file) => (await fetched(file.url)).arrayBuffer();

export class Messages {
  /**
   * view    the component, whose selection, picture and player are made to follow
   * plane   job of the scene, or the result in it, that is on its way to the picture, or there
   * coming  that scene
   * choice  job of the variation that was chosen last
   */
  constructor(view) {
    Object.assign(this, { view, newest: null, working: false, plane: 0, coming: null, choice: 0 });
  }

  /** Messages are complete, so only the newest one matters. */
  async receive() {
    const { view } = this,
      message = view.props.value;
    if (!message || typeof message !== 'object' || !message.number) return;
    view.props.value = forPython(view.items); // the value is the selection, whatever Python has sent
    if (message.number <= (this.newest?.number ?? view.state.messageNumber)) return;
    this.newest = message;
    if (this.working) return;
    this.working = true;
    while (this.newest) {
      const next = this.newest;
      this.newest = null;
      view.state.messageNumber = next.number;
      try {
        await this.show(next);
      } catch (error) {
        view.complain('This could not be shown: ' + error.message);
      }
    }
    this.working = false;
  }

  async show(message) {
    const { view } = this,
      { state } = view,
      { scene } = message;
    if (!scene) {
      // it was let go while the page was cut off: a page that begins anew brings it back
      if (state.base) location.reload();
      return;
    }
    const changed = !state.base || state.base.id !== scene.id;
    if (changed) {
      const same =
        state.base &&
        state.base.sound === scene.sound &&
        state.originalUrl === message.original.url;
      await (same ? this.changeAtoms(scene) : this.showSound(message));
      if (!same) this.keepSound(message);
    }
    if (!message.busy && state.base) view.showAtomizer();
    const story = message.proposal && state.proposed !== message.proposal.id;
    if (story) this.propose(message.proposal);
    await view.excerpt.show(message.excerpt);
    await this.showParts(message.parts);
    const announced = message.variations.length && state.announced !== message.current;
    state.variations = message.variations;
    state.live = message.busy ? message.live : null;
    this.showBusy(message);
    if (announced) state.left = false;
    let wanted = true;
    if (state.live) await this.showResult(state.live);
    else if (
      announced ||
      (!state.left && !state.variations.some((v) => state.variation && v.id === state.variation.id))
    ) {
      const current =
        [state.resumed, message.current].find((id) => state.variations.some((v) => v.id === id)) ??
        null;
      wanted = await this.chooseVariation(
        current,
        (announced || state.resumed) && current !== null ? 'filled' : undefined,
      );
    } else if (state.wasLive)
      wanted = await this.chooseVariation(state.variation && state.variation.id);
    // who has chosen something else meanwhile is told nothing
    if (
      announced &&
      wanted &&
      state.variation &&
      state.variation.key === state.proposed &&
      state.told !== state.proposed
    )
      this.tell(story);
    Object.assign(state, { announced: message.current, resumed: null });
    state.wasLive = !!state.live;
    this.showHistory();
    if (message.download && state.downloaded !== message.download.id) {
      state.downloaded = message.download.id;
      download(message.download.file.url, message.download.file.orig_name);
    }
    Object.assign(view.find('revert'), {
      hidden: !message.before,
      textContent: message.before ? 'Back to ' + message.before : '',
    });
    const note = Object.assign(view.find('note'), {
      hidden: !message.note,
      textContent: message.note,
    });
    if (story && matchMedia(NARROW).matches)
      note.scrollIntoView({
        block: 'nearest',
        behavior: matchMedia(STILL).matches ? 'auto' : 'smooth',
      });
    // Python ranks parts among the atoms that are shown: of others they are to be asked for again
    if (changed && !message.busy && !message.parts && view.items.some((item) => item.part))
      view.trigger('selected');
    view.syncButtons();
    view.root.dataset.message = message.number;
  }

  /** Where the page was reloaded, as it is when the server comes back: give it the sound again that was there. */
  async recall() {
    const { keeper, state } = this.view,
      source = document.getElementById('file');
    if (source) keeper.follow(source);
    try {
      state.recalled = source && (await keeper.recall());
    } catch {
      state.recalled = null; // a browser that keeps nothing
    }
  }

  /** The sound of a message is there: keep it, or, after a reload, ask for the one that was kept and select as before. */
  async keepSound(message) {
    const { view } = this,
      { recalled } = view.state;
    if (recalled && !isSame(recalled, message.scene)) {
      const input = document.querySelector('#file input[type=file]');
      if (input && !recalled.asked) {
        recalled.asked = true;
        choose(input, recalled.blob, recalled.name);
        return;
      }
    }
    view.state.recalled = null;
    if (recalled && recalled.items.length) {
      view.history.reset(recalled.items);
      view.selected();
    } else view.keeper.select(view.items);
    await view.keeper.keep(message.scene, message.original.url).catch(() => {});
  }

  /** A new original: everything that was made of the one before is gone; or a sound that is gone back to, with its selection. */
  async showSound(message) {
    const { view } = this,
      { state, player } = view,
      { scene } = message,
      another = !state.base || state.base.sound !== scene.sound;
    if (another && state.base)
      state.worked.set(state.base.sound, {
        items: view.items,
        left: state.left,
        shown: state.variation && state.variation.id,
      });
    const { items, left, shown } = (another && state.worked.get(scene.sound)) || {
      items: [],
      left: false,
      shown: null,
    };
    const buffer = bytesOf(scene.atoms);
    view.eraser.forget();
    player.silence();
    player.offset = 0;
    player.loopSpan = null;
    state.scenes.clear();
    this.choice++;
    Object.assign(state, {
      base: scene,
      shown: null,
      partBits: null,
      variations: [],
      variation: null,
      live: null,
      version: 'original',
      channel: null,
      looping: false,
      announced: left ? message.current : null,
      left,
      resumed: shown,
      active: -1,
      originalUrl: message.original.url,
    });
    if (another) {
      view.history.reset(items);
      state.op = 'add';
    }
    await this.useScene(scene, { buffer, keep: false });
    view.showChannels();
    view.find('empty').hidden = true;
    view.props.value = forPython(view.items);
    view.showChips();
    view.presets.follow(null);
    view.root.dataset.scene = scene.id;
    player.choose('original');
    await player.load({ original: message.original.url });
    if (left) view.eraser.listen(state); // where a variation, or none, is chosen next, that does
  }

  /** The same sound made of other atoms, or of more of them: the selection, the variations and what plays stay. */
  async changeAtoms(scene) {
    const { view } = this,
      { state } = view;
    state.scenes.delete(state.base.id);
    this.choice++;
    Object.assign(state, { base: scene, variation: null, partBits: null });
    if (!isPursuit(scene) && state.colour === 'scale') view.setColour('sign');
    if (await this.useScene(scene)) await view.eraser.listen(state);
  }

  /** What is to be in the picture next; whatever was on its way there is not wanted any more. */
  plan(scene) {
    this.coming = scene;
    return ++this.plane;
  }

  /** Make a scene, of the sound itself or of a longer or wider version of it, the plane that is shown; false where a later one has overtaken it. */
  async useScene(scene, { buffer = null, keep = true, job = this.plan(scene) } = {}) {
    const { view } = this,
      { state } = view;
    if (state.scene && state.scene.id === scene.id) return true;
    if (!state.scenes.has(scene.id)) {
      const atoms = (isPursuit(scene) ? unpackPursuit : unpack)(
        await (buffer || bytesOf(scene.atoms)),
        scene.count,
      );
      if (job !== this.plane) return false;
      state.scenes.set(scene.id, atoms);
    }
    Object.assign(state, { scene, original: state.scenes.get(scene.id), shown: null });
    const shown = view.picture.show(scene, state.original, keep);
    state.cells = isPursuit(scene) ? new Chosen(scene) : new Cells(scene, view.picture.axes);
    view.find('colour').querySelector('[value=scale]').hidden = !isPursuit(state.base);
    view.showTitle();
    view.showLegend();
    view.orders.show(scene, state.original);
    view.mark(view.items);
    await shown;
    return job === this.plane;
  }

  propose(proposal) {
    const { view } = this,
      { state } = view;
    state.proposed = proposal.id;
    view.history.reset(fromPython(proposal.regions, proposal.specs));
    state.aliases.set(proposal.id, forPython(view.items).key);
    state.active = -1;
    view.adopt();
    view.keeper.select(view.items);
  }

  /** What a story fills in is there: stand a little before it, and play where it came at once; who has waited for it may not be here any more. */
  tell(atOnce) {
    const { state, player, picture } = this.view;
    state.told = state.proposed;
    player.seek(cueOf(state.shown, picture.axes.perFrame));
    if (atOnce && !document.hidden) player.start();
  }

  async showParts(parts) {
    const { view } = this,
      { state } = view;
    if (!parts || (state.partBits && state.partBits.url === parts.bits.url)) return;
    state.partBits = {
      key: parts.key,
      url: parts.bits.url,
      bits: new Uint8Array(await bytesOf(parts.bits)),
    };
    view.mark(view.items);
    if (state.original) view.eraser.listen(state);
  }

  /** The atoms of a result in place of the hidden ones; nothing where another scene or result has overtaken it. */
  async showResult(result) {
    const { view } = this,
      { state } = view,
      job = this.plan(result.scene);
    const [hidden, changed] = await Promise.all([
      bytesOf(result.hidden),
      bytesOf(result.atoms),
      this.useScene(result.scene, { job }),
    ]);
    if (job !== this.plane) return;
    state.shown = merge(state.original, new Uint8Array(hidden), unpack(changed, result.count));
    state.cells.mark(state.shown, null);
    if (result.done && state.live) state.steps++;
    view.repaint();
  }

  /** Show and play a variation, or, for null, only the original; false where a later choice has overtaken this one. */
  async chooseVariation(id, version) {
    const { view } = this,
      { state, player } = view,
      variation = state.variations.find((v) => v.id === id) || null,
      job = ++this.choice;
    state.variation = variation;
    if (variation) state.left = false;
    else state.shown = null;
    await (variation ? this.showResult(variation) : this.useScene(state.base));
    if (job !== this.choice) return false; // a fill that runs may have overtaken the plane, yet what is heard is this
    await player.load({
      original: state.originalUrl,
      ...(variation && { masked: variation.masked.url, filled: variation.sound.url }),
    });
    if (job !== this.choice) return false;
    if (!variation) view.eraser.listen(state);
    view.chooseVersion(version || (player.buffers[state.version] ? state.version : 'original'));
    this.showHistory();
    view.repaint();
    return true;
  }

  /** Another selection than the shown variation's is made: its hole is not that of this one, so back to the original; it stays in the list, and is
   * shown once more where its selection is there `again`. */
  async followSelection(again) {
    const { view } = this,
      { state } = view;
    if (state.busy) return;
    if (state.variation && view.pending) {
      state.left = true;
      await this.chooseVariation(null, 'original');
    }
    if (!again || state.variation) return;
    const answer = state.variations.findLast(
      (variation) => view.items.length && view.answers(variation),
    );
    if (answer) await this.chooseVariation(answer.id, 'filled');
  }

  /** Of a fill on top of matching-pursuit atoms: those are the original, and all else is shown as the atoms of the MDCT, which the fill knows. */
  async showPlane() {
    const { view } = this,
      { variation, base, live, version } = view.state;
    if (!isPursuit(base) || !variation || live) return;
    const scene = version === 'original' ? base : variation.scene;
    if (scene.id === this.coming.id) return;
    if (scene === base) await this.useScene(base);
    else await this.showResult(variation);
    view.repaint();
  }

  showHistory() {
    const { find, state } = this.view;
    find('history').hidden = !state.variations.length;
    showVariations(find('variations'), state.variations, state.variation && state.variation.id);
  }

  showBusy({ busy, live, status }) {
    const { view } = this;
    view.state.busy = busy;
    view.root.classList.toggle('busy', busy);
    view.find('progress').style.width = busy && live ? (100 * live.done) / live.total + '%' : '0';
    if (status && (busy || !(performance.now() < view.complainedUntil))) view.say(status);
  }
}
