// Fields of the page; their bounds and defaults are in view.html.

/** The number in a field, within its bounds; its default where it has none.
 * @param {Pick<HTMLInputElement, 'value' | 'defaultValue' | 'min' | 'max'>} field */
export function numberIn({ value, defaultValue, min, max }) {
  const number = Number(value.trim() && Number.isFinite(Number(value)) ? value : defaultValue);
  return Math.min(Number(max), Math.max(Number(min), number));
}

/** Let Gradio notice every edit of its text boxes. By itself (6.31) it notices pressed keys alone,
 * not what is deleted or pasted, nor what a screen keyboard or a script enters.
 * @param {Pick<Document, 'addEventListener'>} page
 * @param {string} selector of its text boxes */
export function reportEdits(page, selector) {
  let isKey = false;
  const followKey = () => {
    isKey = true;
    setTimeout(() => (isKey = false)); // the input of a key comes before that
  };
  page.addEventListener('keypress', followKey, true);
  // after the listeners of the box, which read its value
  page.addEventListener('input', ({ target }) => {
    const box = /** @type {Element} */ (target);
    if (!isKey && box.matches(selector)) box.dispatchEvent(new KeyboardEvent('keypress'));
  });
}
