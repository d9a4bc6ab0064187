// What curves of quality have in common: margins, ink and grid.

/** Layout of a Plotly figure, and its axes.
 * @param {boolean} isDark
 * @param {number} height */
export function curveLayout(isDark, height) {
  const ink = isDark ? '#9aa3b5' : '#5b6475';
  const gridcolor = isDark ? 'rgba(255,255,255,.08)' : 'rgba(15,23,42,.08)';
  return {
    axis: { gridcolor, zeroline: false, fixedrange: true, automargin: true },
    layout: {
      margin: { l: 48, r: 12, t: 8, b: 40 },
      height,
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      hovermode: 'closest',
      font: { color: ink, size: 11, family: 'system-ui, sans-serif' },
      legend: { orientation: 'h', y: 1.02, yanchor: 'bottom', x: 0 },
    },
  };
}
