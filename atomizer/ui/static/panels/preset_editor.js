// The row where a preset is chosen, and where the values of the chosen region can be changed while the picture follows.

import * as format from '../util/format.js';
import { PRESETS, presetItem, presetOf, sliderOf } from './presets.js';

export class PresetEditor {
  /**
   * find  function (name) -> element
   * host  {duration(), channels(), add(item), replace(item, key), complain(text)}
   */
  constructor(find, host) {
    Object.assign(this, { find, host, live: false });
    const choose = find('preset');
    choose.replaceChildren(
      ...Object.entries(PRESETS).map(([name, { title }]) =>
        Object.assign(new Option(name, name), { title }),
      ),
    );
    choose.addEventListener('change', () => this.show(choose.value, this.defaults(choose.value)));
    find('slide').addEventListener('input', () => {
      const value = sliderOf(this.name, host.duration()).value(Number(find('slide').value)),
        [first, second] = this.values;
      // the span keeps its length while its start is moved
      this.write(second === undefined ? [value] : [value, +(value + second - first).toFixed(3)]);
      this.update('slide');
    });
    for (const field of ['first', 'second']) {
      find(field).addEventListener('input', () => {
        this.place();
        this.update(field);
      });
    }
    this.show('above', PRESETS.above.values);
  }

  get name() {
    return this.find('preset').value;
  }

  get values() {
    const numbers = ['first', 'second'].map((field) => parseFloat(this.find(field).value));
    return this.name === 'time' ? numbers : numbers.slice(0, 1);
  }

  defaults(name) {
    const { values, unit } = PRESETS[name];
    // times beyond the end of a short sound would be no help
    return unit === 's' && values[values.length - 1] >= this.host.duration()
      ? values.map(
          (v) => +((v / (values[values.length - 1] + 1)) * this.host.duration()).toFixed(2),
        )
      : values;
  }

  show(name, values) {
    this.find('preset').value = name;
    this.find('unit').textContent = PRESETS[name].unit;
    this.find('span').hidden = name !== 'time';
    this.find('slide').hidden = !PRESETS[name].slider;
    this.write(values);
    this.live = false;
  }

  write([first, second]) {
    this.find('first').value = +first.toPrecision(5);
    this.find('second').value = second === undefined ? '' : +second.toPrecision(5);
    this.place();
  }

  /** Put the slider where the number is. */
  place() {
    if (this.name === 'channel')
      this.find('unit').textContent =
        [0, 1].includes(this.values[0]) && this.host.channels() === 2
          ? format.channel(this.values[0], 2)
          : '';
    if (PRESETS[this.name].slider && Number.isFinite(this.values[0]))
      this.find('slide').value = sliderOf(this.name, this.host.duration()).place(this.values[0]);
  }

  /** Add the preset to the selection. */
  add() {
    try {
      this.host.add(presetItem(this.name, this.values, this.host.channels()));
    } catch (error) {
      this.host.complain(error.message);
    }
  }

  /** A value was changed: the chosen region follows, where it is one of this preset's. */
  update(key) {
    if (!this.live) return;
    try {
      this.host.replace(presetItem(this.name, this.values, this.host.channels()), 'preset ' + key);
    } catch {
      /* a number half typed */
    }
  }

  /** Show the values of the region that was chosen, if a preset could have made it. */
  follow(item) {
    const found = item && presetOf(item);
    if (
      found &&
      !(found.name === this.name && this.find('preset').parentNode.contains(document.activeElement))
    )
      this.show(found.name, found.values);
    this.live = !!found;
  }
}
