// Fields of the page; their bounds and defaults are in view.html.

/** The number in a field, within its bounds; its default where it has none.
 * @param {Pick<HTMLInputElement, 'value' | 'defaultValue' | 'min' | 'max'>} field */
export function numberIn({ value, defaultValue, min, max }) {
  const number = Number(value.trim() && Number.isFinite(Number(value)) ? value : defaultValue);
  return Math.min(Number(max), Math.max(Number(min), number));
}
