// The history: every fill with its settings and how close it came to the original.

import * as format from '../util/format.js';

const MEANING =
  'SNR: how exactly the atoms are those of the original; guessed signs keep it near 0 dB. ' +
  'LSD: how far the spectrum is off in level; 0 is not at all, and the right levels with signs by chance have about 0.7.';

/** A few words on how well a variation matches: "SNR 3.2 dB · LSD 0.91", or why it cannot be measured. */
export function metricsOf(variation) {
  const words = [];
  if (variation.snr_db != null)
    words.push('SNR ' + variation.snr_db.toFixed(1).replace('-', '−') + ' dB');
  if (variation.lsd != null) words.push('LSD ' + variation.lsd.toFixed(2));
  return words.join(' · ') || 'nothing to compare with';
}

/** Fill the list: a radio button per variation, the chosen one with all of its settings. */
export function showVariations(list, variations, current) {
  const focused = list.contains(document.activeElement);
  list.replaceChildren(
    ...variations.map((variation) => {
      const chosen = variation.id === current,
        row = document.createElement('button');
      row.type = 'button';
      row.className = 'variation';
      row.dataset.variation = variation.id;
      row.setAttribute('role', 'radio');
      row.setAttribute('aria-checked', String(chosen));
      row.tabIndex = chosen ? 0 : -1;
      const text = (tag, name, content) => {
        const made = document.createElement(tag);
        made.className = name;
        made.textContent = content;
        return made;
      };
      const metrics = Object.assign(text('span', 'metrics', metricsOf(variation)), {
        title: MEANING,
      });
      row.append(
        text('b', 'label', variation.label),
        text('span', 'how', variation.title),
        metrics,
      );
      if (chosen) {
        const details = [
          ...variation.details,
          ['audible atoms', format.count(variation.heard)],
          ['took', variation.seconds.toFixed(1) + ' s'],
        ];
        row.append(
          text('span', 'details', details.map(([name, value]) => name + ' ' + value).join(' · ')),
        );
      }
      return row;
    }),
  );
  const chosen = focused && list.querySelector('[aria-checked=true]');
  if (chosen) chosen.focus();
}

/** The id of the variation `step` places after the current one; where none is chosen, they begin at the first, or, backwards, at the last. */
export function neighbour(variations, current, step) {
  if (!variations.length) return null;
  const at = variations.findIndex((v) => v.id === current),
    from = at < 0 && step < 0 ? 0 : at;
  return variations[(from + step + variations.length) % variations.length].id;
}
