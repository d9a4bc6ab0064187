// Undo and redo.

/** A value with the values before it and those that were undone.
 * @template T */
export class UndoHistory {
  /** @param {T} value
   * @param {(history: UndoHistory<T>) => void} [changed] */
  constructor(value, changed = () => {}) {
    this.value = value;
    this.changed = changed;
    /** @type {string | null} */
    this.key = null;
    /** @type {T[]} */
    this.past = [];
    /** @type {T[]} */
    this.future = [];
  }

  /** Start again from a value.
   * @param {T} value */
  reset(value) {
    this.value = value;
    this.key = null;
    this.past = [];
    this.future = [];
    this.changed(this);
  }

  /** Add a value. Quick changes of one thing (a slider that is dragged) share a step by their key.
   * @param {T} value
   * @param {string | null} [key] */
  push(value, key = null) {
    if (key === null || key !== this.key) this.past.push(this.value);
    this.value = value;
    this.key = key;
    this.future = [];
    this.changed(this);
  }

  undo() {
    return this.step(this.past, this.future);
  }

  redo() {
    return this.step(this.future, this.past);
  }

  /** @param {T[]} from
   * @param {T[]} to */
  step(from, to) {
    if (!from.length) return false;
    to.push(this.value);
    this.value = /** @type {T} */ (from.pop());
    this.key = null;
    this.changed(this);
    return true;
  }
}
