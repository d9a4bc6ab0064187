// Layers: the fills that were accepted, each on top of those before it.

/** Fill the list; its last entry can be undone by the button beside it.
 * @param {HTMLElement} panel
 * @param {string[]} layers */
export function showLayers(panel, layers) {
  panel.hidden = !layers.length;
  panel
    .querySelector('ol')
    ?.replaceChildren(
      ...layers.map((textContent) => Object.assign(document.createElement('li'), { textContent })),
    );
}
