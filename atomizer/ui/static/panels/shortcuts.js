// Keyboard shortcuts: one table for what keys do and for the sheet that lists them.

/** {keys: as event.key, lower case; shown; action; help}. Actions are those of main.js. */
export const SHORTCUTS = [
  {
    group: 'Listen',
    rows: [
      { keys: [' '], shown: 'space', action: 'play', help: 'play or pause' },
      { keys: ['1'], shown: '1', action: 'original', help: 'original' },
      { keys: ['2'], shown: '2', action: 'masked', help: 'masked: without the unknown atoms' },
      { keys: ['3'], shown: '3', action: 'filled', help: 'filled in' },
      { keys: ['4'], shown: '4', action: 'change', help: 'only what was filled in' },
      { keys: ['5'], shown: '5', action: 'first', help: 'the first atoms of the ordering' },
      { keys: ['['], shown: '[', action: 'previous', help: 'previous variation' },
      { keys: [']'], shown: ']', action: 'next', help: 'next variation' },
      { keys: ['r'], shown: 'R', action: 'loop', help: 'loop the selected time' },
      {
        keys: ['enter'],
        shown: 'Enter',
        action: 'playSelection',
        help: 'play the selected time once',
      },
      { keys: ['m'], shown: 'M', action: 'match', help: 'match levels' },
      {
        keys: ['arrowleft'],
        shown: '←',
        action: 'back',
        help: 'a second back; with the move tool, the region',
      },
      { keys: ['arrowright'], shown: '→', action: 'ahead', help: 'a second ahead' },
    ],
  },
  {
    group: 'Select',
    rows: [
      { keys: ['b'], shown: 'B', action: 'box', help: 'box' },
      { keys: ['l'], shown: 'L', action: 'lasso', help: 'lasso' },
      { keys: ['p'], shown: 'P', action: 'brush', help: 'brush (paint)' },
      {
        keys: ['k'],
        shown: 'K',
        action: 'harmonics',
        help: 'harmonic brush: a partial and all its multiples',
      },
      {
        keys: ['v'],
        shown: 'V',
        action: 'move',
        help: 'move and resize; arrows move, with shift they resize',
      },
      {
        keys: ['s'],
        shown: 'S',
        action: 'subtract',
        help: 'add or take away (or hold Alt while drawing)',
      },
      { keys: ['i'], shown: 'I', action: 'invert', help: 'invert' },
      {
        keys: ['delete', 'backspace'],
        shown: 'Del',
        action: 'remove',
        help: 'remove the chosen region',
      },
      { keys: ['escape'], shown: 'Esc', action: 'clear', help: 'clear the selection' },
      { keys: ['ctrl+z'], shown: 'Ctrl Z', action: 'undo', help: 'undo' },
      { keys: ['ctrl+shift+z', 'ctrl+y'], shown: 'Ctrl ⇧ Z', action: 'redo', help: 'redo' },
    ],
  },
  {
    group: 'Look',
    rows: [
      {
        keys: ['z'],
        shown: 'Z',
        action: 'zoom',
        help: 'zoom tool; the wheel zooms time, with shift frequency',
      },
      { keys: ['h'], shown: 'H', action: 'pan', help: 'pan tool; two fingers pan and zoom' },
      { keys: ['+', '='], shown: '+', action: 'closer', help: 'closer' },
      { keys: ['-'], shown: '−', action: 'farther', help: 'farther' },
      { keys: ['0'], shown: '0', action: 'fit', help: 'show all' },
      { keys: ['y'], shown: 'Y', action: 'scale', help: 'next frequency axis: log, linear, mel' },
      { keys: ['c'], shown: 'C', action: 'colour', help: 'next colouring' },
      { keys: ['o'], shown: 'O', action: 'order', help: 'orderings, by eye and ear' },
      { keys: ['?'], shown: '?', action: 'keys', help: 'this sheet' },
    ],
  },
];

const ACTION_OF = new Map(
  SHORTCUTS.flatMap(({ rows }) => rows.flatMap((row) => row.keys.map((key) => [key, row.action]))),
);

/** The action of a key event, or undefined. */
export function actionOf(event) {
  const key = event.key.toLowerCase();
  if (event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey)
    return ACTION_OF.get('ctrl+' + (event.shiftKey ? 'shift+' : '') + key);
  return ACTION_OF.get(key);
}

/** Fill the sheet. */
export function showSheet(list) {
  list.replaceChildren(
    ...SHORTCUTS.map(({ group, rows }) => {
      const section = document.createElement('section'),
        heading = document.createElement('h4'),
        table = document.createElement('dl');
      heading.textContent = group;
      for (const { shown, help } of rows) {
        const key = document.createElement('dt'),
          text = document.createElement('dd'),
          cap = document.createElement('kbd');
        cap.textContent = shown;
        key.append(cap);
        text.textContent = help;
        table.append(key, text);
      }
      section.append(heading, table);
      return section;
    }),
  );
}
