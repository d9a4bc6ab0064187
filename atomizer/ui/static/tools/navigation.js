// Tools that do not draw: move, zoom, pan. The pointer (pointer.js) acts on their ids.

/** @type {import('./tool.js').Tool} */
export const move = {
  id: 'move',
  key: 'v',
  label: 'Move',
  title: 'Move or resize a region',
  help: 'move and resize; arrows move, with Shift they resize',
  icon:
    '<path d="M10 2.500v15M2.500 10h15M7.800 4.700L10 2.500l2.200 2.200M7.800 15.300l2.200 2.200' +
    ' 2.200-2.200M4.700 7.800L2.500 10l2.200 2.200M15.300 7.800l2.200 2.200-2.200 2.200" />',
  cursor: 'move',
};

/** No tool: a swipe scrolls the page, a tap seeks. Touch screens begin with it.
 * @type {import('./tool.js').Tool} */
export const scroll = {
  id: 'scroll',
  key: '',
  label: 'Scroll',
  title: 'Scroll the page; a tap moves the playhead',
  help: '',
  icon: '<path d="M10 3v14M6.500 6.500L10 3l3.500 3.500M6.500 13.500L10 17l3.500-3.500" />',
  cursor: 'default',
  isTouchOnly: true,
};

/** @type {import('./tool.js').Tool} */
export const zoom = {
  id: 'zoom',
  key: 'z',
  label: 'Zoom',
  title: 'Zoom: drag, or use the wheel',
  help: 'zoom tool; the wheel zooms time, with Shift frequency',
  icon:
    '<circle cx="8.500" cy="8.500" r="5" />' +
    '<path d="M12.500 12.500L17 17M6.500 8.500h4M8.500 6.500v4" />',
  cursor: 'zoom-in',
  isBox: true,
};

/** @type {import('./tool.js').Tool} */
export const pan = {
  id: 'pan',
  key: 'h',
  label: 'Pan',
  title: 'Pan',
  help: 'pan tool; two fingers pan and zoom',
  icon:
    '<path d="M6.500 10V5.500a1.200 1.200 0 0 1 2.400 0V9 4.200a1.200 1.200 0 0 1 2.400 0V9' +
    ' 5a1.200 1.200 0 0 1 2.400 0v7.500a4.500 4.500 0 0 1-8 2.800L3.500 11.500c-.6-1.300.9-2' +
    ' 1.700-1.200z" />',
  cursor: 'grab',
};
