// Lists that are drawn again, and scrolled.

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

/** Scroll a list, and not the page around it, until one of its children is in sight.
 * @param {Element} list
 * @param {Element} child */
export function scrollTo(list, child) {
  const [seen, wanted] = [list, child].map((element) => element.getBoundingClientRect());
  const below = Math.max(0, wanted.bottom - seen.bottom);
  list.scrollTop += below || Math.min(0, wanted.top - seen.top);
}
