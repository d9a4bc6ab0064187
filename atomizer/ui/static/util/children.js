// Lists that are drawn again.

/**
 * Replace the children of an element, except those that stay as they are: a button that is being
 * pressed, or has the focus, must not be taken away.
 * @param {Element} element
 * @param {Element[]} children */
export function setChildren(element, children) {
  while (element.children.length > children.length) element.lastElementChild?.remove();
  children.forEach((child, k) => {
    const old = element.children[k];
    if (!old) element.append(child);
    else if (!old.isEqualNode(child)) old.replaceWith(child);
  });
}
