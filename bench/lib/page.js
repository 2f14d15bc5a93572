'use strict';

/**
 * The generated part of docs/performance.md. Between BEGIN and END there is one section per
 * Node major; a run replaces its own and leaves the others.
 */
const BEGIN = '<!-- bench:begin (written by node bench/bench.js --markdown) -->';
const END = '<!-- bench:end -->';
const mark = (major) => `<!-- bench:node ${major} -->`;

function updatePage(page, major, markdown) {
  const start = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (start < 0 || end < start) throw new Error(`the page lacks ${BEGIN} … ${END}`);
  const inside = page.slice(start + BEGIN.length, end);
  const sections = new Map();
  for (const part of inside.split(/(?=<!-- bench:node \d+ -->)/)) {
    const found = /^<!-- bench:node (\d+) -->/.exec(part);
    if (found) sections.set(Number(found[1]), part.trim());
  }
  sections.set(major, `${mark(major)}\n\n### Node ${major}\n\n${markdown}`);
  const body = [...sections.keys()].sort((a, b) => a - b).map((key) => sections.get(key));
  return `${page.slice(0, start)}${BEGIN}\n\n${body.join('\n\n')}\n\n${page.slice(end)}`;
}

module.exports = { updatePage };
