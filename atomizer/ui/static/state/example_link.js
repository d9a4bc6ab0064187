// The address names the example that is shown: as a link, it brings sound, selection and settings
// back.

import { press } from '../panels/shell.js';

const NAME = 'example';

/** Address of the page with an example, or without one.
 * @param {string} address
 * @param {string} example its id, or empty */
export function withExample(address, example) {
  const url = new URL(address);
  if (example) url.searchParams.set(NAME, example);
  else url.searchParams.delete(NAME);
  return url.href;
}

/** Load the example of the address, once there is a sound, which it replaces; then the address
 * follows the example. A page that was loaded again gets its session back instead.
 * @param {Pick<import('../view.js').View, 'store' | 'holdStatus'>} view
 * @param {(example: string) => boolean} [load] returns false where there is no such example */
export function followAddress(view, load = pressExample) {
  const { store } = view;
  let linked = new URLSearchParams(location.search).get(NAME) ?? '';
  store.subscribe(
    (s) => [!!s.scene, s.example],
    (hasSound, example) => {
      if (!hasSound) return;
      const wanted = example || store.state.restored ? '' : linked;
      linked = '';
      if (wanted && load(wanted)) return;
      if (wanted) view.holdStatus('There is no example "' + wanted + '": choose one above.');
      history.replaceState(history.state, '', withExample(location.href, example));
    },
  );
}

/** @param {string} example */
const pressExample = (example) => /^[a-z]+$/.test(example) && press('#example-' + example);
