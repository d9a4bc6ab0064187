// Elements for the tests of panels: what these use of a document, and no more.

class FakeElement {
  constructor(tagName) {
    Object.assign(this, { tagName, children: [], attributes: {}, dataset: {}, className: '' });
    Object.assign(this, { parent: null, textContent: '', value: '', listeners: {} });
    Object.assign(this, { offsetLeft: 0, offsetWidth: 10, clientWidth: 500, hidden: false });
    this.style = { setProperty: (name, value) => (this.style[name] = value) };
  }

  get lastElementChild() {
    return this.children.at(-1);
  }

  get isConnected() {
    return this === document.body || !!this.parent?.isConnected;
  }

  append(...children) {
    for (const child of children) Object.assign(child, { parent: this });
    this.children.push(...children);
  }

  replaceChildren(...children) {
    for (const child of [...this.children]) child.remove();
    this.append(...children);
  }

  remove() {
    this.parent.children = this.parent.children.filter((child) => child !== this);
    this.parent = null;
  }

  replaceWith(other) {
    const { parent } = this;
    parent.children[parent.children.indexOf(this)] = other;
    Object.assign(this, { parent: null });
    Object.assign(other, { parent });
  }

  isEqualNode(other) {
    const key = (element) => JSON.stringify([element.tagName, element.textContent, element.value]);
    return key(this) === key(other);
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  closest() {
    return this.parent;
  }

  querySelectorAll(tagName) {
    return this.children.flatMap((child) => [
      ...(child.tagName === tagName ? [child] : []),
      ...child.querySelectorAll(tagName),
    ]);
  }

  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }

  press(key) {
    this.listeners.keydown({ key, preventDefault() {}, stopPropagation() {} });
  }

  focus() {
    document.focused = this;
  }
}

/** Make a document with an empty body, on which the focus is.
 * @param {Record<string, FakeElement>} [found] elements by the selectors that name them */
export function newDocument(found = {}) {
  const body = new FakeElement('body');
  const isSeen = (element) => !element?.hidden && (!element?.parent || isSeen(element.parent));
  globalThis.document = {
    body,
    focused: null,
    get activeElement() {
      return this.focused?.isConnected && isSeen(this.focused) ? this.focused : body;
    },
    createElement: (tagName) => new FakeElement(tagName),
    createElementNS: (_, tagName) => new FakeElement(tagName),
    querySelector: (selector) => found[selector] ?? null,
  };
  globalThis.Option = class extends FakeElement {
    constructor(textContent, value) {
      super('option');
      Object.assign(this, { textContent, value });
    }
  };
  return body;
}

/** A new element of a page.
 * @param {string} [tagName] */
export const newElement = (tagName = 'div') => new FakeElement(tagName);
