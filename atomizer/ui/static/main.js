// Entry point: Gradio's script (component.py) calls `mount` once for the component.

import { showWhenComplete } from './panels/shell.js';
import { followAddress } from './state/example_link.js';
import { restoreAfterReload } from './state/restoring.js';
import { saveOnLeave } from './state/saved_view.js';
import { createTestApi } from './util/test_api.js';
import { View } from './view.js';

/** Set the component up, and follow its value.
 * @param {import('./types').Mount} mount */
export async function mount({ element, props, trigger, watch, config }) {
  const root = /** @type {HTMLElement & {atomView?: object}} */ (
    element.querySelector('.atom-view')
  );
  if (root.atomView) return;
  showWhenComplete();
  const view = new View(root, config, { props, trigger });
  root.atomView = { testApi: createTestApi(view) };
  await view.picture.open();
  await restoreAfterReload(view);
  saveOnLeave(view);
  followAddress(view);
  watch('value', () => view.messages.receive());
  root.dataset.ready = 'true';
  await view.messages.receive();
}
