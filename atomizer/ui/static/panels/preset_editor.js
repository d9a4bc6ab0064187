// The row where a preset is chosen, and where the values of the chosen region are changed.

import { PRESETS, presetItem, presetOf, sliderOf } from './presets.js';

/** @typedef {import('../types').Item} Item */

/**
 * @typedef {object} Host
 * @property {() => number} duration
 * @property {() => string[]} channelNames
 * @property {(item: Item) => void} add
 * @property {(item: Item, key: string) => void} replace the active item
 * @property {(text: string) => void} showError
 */

const FIELDS = /** @type {const} */ (['first', 'second']);
const OF_TIMES = ['to', 'End of the time span'];

/** The panel. */
export class PresetEditor {
  /** @param {import('../types').Find} find
   * @param {Host} host */
  constructor(find, host) {
    this.find = find;
    this.host = host;
    /** Whether the values are those of the active item, which follows them. */
    this.isEditing = false;
    const menu = find('preset');
    menu.replaceChildren(
      ...Object.entries(PRESETS).map(([name, { title, label }]) =>
        Object.assign(new Option(label ?? name, name), { title }),
      ),
    );
    menu.addEventListener('change', () => this.show(menu.value, this.defaults(menu.value)));
    find('slide').addEventListener('input', () => {
      const { fromSlider } = sliderOf(this.name, host.duration());
      const value = fromSlider(Number(find('slide').value));
      const [first, second] = this.values;
      // a span keeps its length while its start is moved
      this.write(second === undefined ? [value] : [value, +(value + second - first).toFixed(3)]);
      this.updateItem('slide');
    });
    for (const field of FIELDS) {
      find(field).addEventListener('input', () => {
        this.syncSlider();
        this.updateItem(field);
      });
    }
    find('side').addEventListener('change', () => {
      find('first').value = find('side').value;
      this.updateItem('first');
    });
    this.show('above', PRESETS.above.values);
  }

  get name() {
    return this.find('preset').value;
  }

  get values() {
    const numbers = FIELDS.map((field) => parseFloat(this.find(field).value));
    return numbers.slice(0, PRESETS[this.name].values.length);
  }

  /** Default values, within a short sound.
   * @param {string} name */
  defaults(name) {
    const { values, unit } = PRESETS[name];
    const last = values[values.length - 1];
    const duration = this.host.duration();
    if (unit !== 's' || last < duration) return values;
    return values.map((v) => +((v / (last + 1)) * duration).toFixed(2));
  }

  /** @param {string} name
   * @param {number[]} values */
  show(name, values) {
    this.find('preset').value = name;
    const { unit, slider, between, values: defaults } = PRESETS[name];
    const [word, label] = between ?? OF_TIMES;
    this.find('unit').textContent = unit;
    this.find('between').textContent = word;
    this.find('second').setAttribute('aria-label', label);
    this.find('span').hidden = defaults.length < 2;
    this.find('slide').hidden = !slider;
    this.write(values);
    this.isEditing = false;
  }

  /** @param {number[]} values */
  write([first, second]) {
    this.find('first').value = String(+first.toPrecision(5));
    this.find('second').value = second === undefined ? '' : String(+second.toPrecision(5));
    this.syncSlider();
  }

  /** Move the slider to the first value; of two channels one is chosen by its name. */
  syncSlider() {
    const { name, host } = this;
    const [first] = this.values;
    const { slider } = PRESETS[name];
    const names = host.channelNames();
    const hasSides = name === 'channel' && names.length === 2;
    this.find('side').hidden = !hasSides;
    this.find('first').hidden = hasSides;
    if (hasSides) {
      if (first !== 0 && first !== 1) this.find('first').value = '0';
      this.find('side').replaceChildren(...names.map((text, c) => new Option(text, String(c))));
      this.find('side').value = this.find('first').value;
    }
    if (slider && Number.isFinite(first))
      this.find('slide').value = String(sliderOf(name, host.duration()).toSlider(first));
  }

  /** Add the preset to the selection. */
  add() {
    try {
      this.host.add(presetItem(this.name, this.values, this.host.channelNames().length));
    } catch (error) {
      this.host.showError(/** @type {Error} */ (error).message);
    }
  }

  /** After a value was changed: the active item follows if a preset made it.
   * @param {string} key of the undo step */
  updateItem(key) {
    if (!this.isEditing) return;
    try {
      this.host.replace(
        presetItem(this.name, this.values, this.host.channelNames().length),
        'preset ' + key,
      );
    } catch {
      /* a number that is still being typed */
    }
  }

  /** Show the values of the active item if a preset could have made it.
   * @param {Item | null | undefined} item */
  showValuesOf(item) {
    const found = item && presetOf(item);
    const group = this.find('preset').parentNode;
    const isBeingEdited =
      found && found.name === this.name && group?.contains(document.activeElement);
    if (found && !isBeingEdited) this.show(found.name, found.values);
    this.isEditing = !!found;
  }
}
