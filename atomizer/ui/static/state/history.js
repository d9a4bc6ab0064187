// Undo and redo: what was before, and what was taken back.

export class History {
  constructor(value) {
    this.reset(value);
  }

  reset(value) {
    Object.assign(this, { value, key: null, past: [], future: [] });
  }

  /** Go on from here; quick changes of one thing (a slider that is dragged) share a step where they share a `key`. */
  push(value, key = null) {
    if (key === null || key !== this.key) this.past.push(this.value);
    Object.assign(this, { value, key, future: [] });
  }

  undo() {
    return this.step(this.past, this.future);
  }

  redo() {
    return this.step(this.future, this.past);
  }

  step(from, to) {
    if (!from.length) return false;
    to.push(this.value);
    this.value = from.pop();
    this.key = null;
    return true;
  }
}
