'use strict';

/**
 * A run as an SVG chart: one group of bars per case, one bar per contestant, time on a log
 * scale. Colours follow the viewer's light or dark scheme; nothing is loaded from elsewhere.
 */
const { digits } = require('./stats');

const LABELS = 330;
const PLOT = 520;
const VALUES = 80;
const WIDTH = LABELS + PLOT + VALUES;
const BAR = 9;
const GROUP_GAP = 14;
const TOP = 92;

/** Fill per contestant, light and dark; told apart by lightness as well as by hue. */
const COLOURS = {
  'ffi-jit-define': ['#1259c3', '#6ea8ff'],
  'ffi-jit-load': ['#7fb0f2', '#2f6fd0'],
  'ffi-rs-define': ['#a63d00', '#ff9a52'],
  'ffi-rs-load': ['#e79a62', '#c0672a'],
  'deno-ffi': ['#00687a', '#4fc3d9'],
  'bun-ffi': ['#8c5a78', '#d9a3c4'],
  koffi: ['#1f7a4d', '#58c48d'],
  'node-ffi': ['#7a3fa0', '#c08be6'],
  'napi-c': ['#8a7400', '#d8bd3a'],
  'c-loop': ['#767676', '#9a9a9a'],
};
const SPARE = ['#b03060', '#f08ab0'];

const xml = (text) =>
  String(text).replace(
    /[&<>"]/g,
    (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c],
  );

function duration(ns, format = digits) {
  if (ns >= 1e6) return `${format(ns / 1e6)} ms`;
  if (ns >= 1e3) return `${format(ns / 1e3)} us`;
  return `${format(ns)} ns`;
}

/** The powers of ten that enclose all values. */
function decades(values) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.ceil(Math.log10(Math.max(...values)));
  return { low, high: Math.max(high, low + 1) };
}

function style(contestants) {
  const fills = (index) =>
    contestants.map(({ file }, i) => `.c${i}{fill:${(COLOURS[file] ?? SPARE)[index]}}`).join('');
  return `<style>
text{font:12px system-ui,sans-serif;fill:#222}.title{font-size:16px;font-weight:600}
.minor{font-size:11px;fill:#666}.value{font-size:9px;fill:#444}.grid{stroke:#ddd}
.paper{fill:#fff}${fills(0)}
@media (prefers-color-scheme:dark){text{fill:#e6e6e6}.minor{fill:#a0a0a0}.value{fill:#c4c4c4}
.grid{stroke:#3a3f46}.paper{fill:#0d1117}${fills(1)}}
</style>`;
}

function legend(contestants) {
  let x = 16;
  return contestants
    .map(({ title }, i) => {
      const at = x;
      x += 30 + title.length * 7;
      return `<rect class="c${i}" x="${at}" y="54" width="12" height="12" rx="2"/><text x="${at + 17}" y="64">${xml(title)}</text>`;
    })
    .join('');
}

function chart(run) {
  const { results } = run;
  const timed = run.cases.filter(({ unit, name }) => unit !== 'bytes' && results[name]);
  // A whole run would make a very long picture: it shows the headline cases.
  const headlines = timed.filter(({ headline }) => headline);
  const cases = (headlines.length > 4 ? headlines : timed).filter(({ name }) =>
    Object.values(results[name]).some(({ median }) => median > 0),
  );
  const shown = run.contestants.filter(({ file }) =>
    cases.some(({ name }) => results[name][file]?.median > 0),
  );
  const values = cases.flatMap(({ name }) =>
    shown.map(({ file }) => results[name][file]?.median).filter((value) => value > 0),
  );
  if (!values.length) return `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>\n`;

  const { low, high } = decades(values);
  const x = (ns) => LABELS + (PLOT * (Math.log10(ns) - low)) / (high - low);
  const body = [];
  let y = TOP;
  for (const item of cases) {
    const present = shown
      .map(({ file }, index) => ({ index, ns: results[item.name][file]?.median }))
      .filter(({ ns }) => ns > 0);
    const middle = y + (present.length * BAR) / 2 + 4;
    body.push(`<text x="${LABELS - 10}" y="${middle}" text-anchor="end">${xml(item.title)}</text>`);
    for (const { index, ns } of present) {
      const width = Math.max(1, x(ns) - LABELS).toFixed(1);
      body.push(
        `<rect class="c${index}" x="${LABELS}" y="${y}" width="${width}" height="${BAR - 1}"/>` +
          `<text class="value" x="${(x(ns) + 4).toFixed(1)}" y="${y + BAR - 1.5}">${duration(ns)}</text>`,
      );
      y += BAR;
    }
    y += GROUP_GAP;
  }

  const grid = [];
  for (let power = low; power <= high; power++) {
    const at = x(10 ** power).toFixed(1);
    grid.push(
      `<line class="grid" x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${y - GROUP_GAP + 4}"/>` +
        `<text class="minor" x="${at}" y="${TOP - 10}" text-anchor="middle">${duration(10 ** power, String)}</text>`,
    );
  }
  const subtitle = `Node ${run.node.version}, ${run.machine.cpu}, ${run.date.slice(0, 10)}; median time per call, log scale: shorter is faster`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="${xml(subtitle)}">
${style(shown)}
<rect class="paper" width="${WIDTH}" height="${y}"/>
<text class="title" x="16" y="24">Foreign calls from JavaScript</text><text class="minor" x="16" y="42">${xml(subtitle)}</text>
${legend(shown)}
${grid.join('\n')}
${body.join('\n')}
</svg>
`;
}

module.exports = { chart };
