// The store: the state of the page, and what renders it.
//
// Messages of the server and actions of the user set fields; a subscription renders when one of the
// values that it selects is another one. Selected values may be computed: functions of the state.

/** @template {object} S */
export class Store {
  /** @param {S} state
   * @param {(error: unknown) => void} [report] takes errors of subscriptions */
  constructor(state, report = (error) => reportError(error)) {
    /** Read it anywhere, change it by `set`. */
    this.state = /** @type {Readonly<S>} */ (state);
    /** @type {Set<() => void>} */
    this.subscriptions = new Set();
    this.report = report;
    this.depth = 0;
    this.hasChanged = false;
  }

  /** @param {Partial<S>} changes */
  set(changes) {
    Object.assign(this.state, changes);
    this.hasChanged = true;
    if (!this.depth) this.notify();
  }

  /** Render once, after all changes of a function.
   * @param {() => void} change */
  batch(change) {
    this.depth++;
    try {
      change();
    } finally {
      this.depth--;
    }
    if (!this.depth) this.notify();
  }

  /** Render the selected values now, and whenever one of them is another. Returns a function that
   * ends this.
   * @template {unknown[]} V
   * @param {(state: Readonly<S>) => [...V]} select
   * @param {(...values: NoInfer<V>) => void} render */
  subscribe(select, render) {
    let values = select(this.state);
    const update = () => {
      const next = select(this.state);
      if (next.every((value, k) => Object.is(value, values[k]))) return;
      values = next;
      render(...next);
    };
    this.subscriptions.add(update);
    render(...values);
    return () => this.subscriptions.delete(update);
  }

  /** What a subscription sets is rendered after it; an error in one does not stop the others. */
  notify() {
    this.depth++;
    while (this.hasChanged) {
      this.hasChanged = false;
      for (const update of this.subscriptions)
        try {
          update();
        } catch (error) {
          this.report(error);
        }
    }
    this.depth--;
  }
}
