'use strict';

/** A run's results as tables: text for the terminal, Markdown for the page. */
const { UNITS } = require('../cases');
const { digits } = require('./stats');

/** The value of a result in its case's unit. */
const inUnit = (item, value) => digits(value / UNITS[item.unit]);

const cell = (item, result) =>
  result?.median === undefined
    ? '–'
    : `${inUnit(item, result.median)} (${inUnit(item, result.min)})`;

/** A row's label, with the unit when it is not the table's. */
const label = ({ title, unit }) => (unit === 'ns' ? title : `${title} [${unit}]`);

/** Rows of strings: medians (minima), one column per contestant. */
function timesTable({ cases, contestants, results }) {
  const header = ['case', ...contestants.map(({ title }) => title)];
  const rows = cases.map((item) => [
    label(item),
    ...contestants.map(({ file }) => cell(item, results[item.name][file])),
  ]);
  return [header, ...rows];
}

/** Rows of strings: one of ours divided by each other contestant; below 1, ours is faster. */
function ratiosTable({ cases, contestants, results }, ours) {
  const others = contestants.filter(({ role }) => role !== 'ours');
  const header = [`${ours.title} / …`, ...others.map(({ title }) => title)];
  const rows = cases
    .filter((item) => results[item.name][ours.file]?.median !== undefined)
    .map((item) => [
      item.title,
      ...others.map(({ file }) => {
        const theirs = results[item.name][file]?.median;
        return theirs ? digits(results[item.name][ours.file].median / theirs) : '–';
      }),
    ]);
  return rows.length ? [header, ...rows] : null;
}

/** Why there are dashes: contestant and reason -> the cases. */
function reasons({ cases, contestants, results }) {
  const lines = [];
  for (const { file, title, reason } of contestants) {
    if (reason) {
      lines.push(`${title}: not run: ${reason}`);
      continue;
    }
    const groups = new Map();
    for (const item of cases) {
      const result = results[item.name][file];
      if (!result?.reason) continue;
      const text = result.detail ? `${result.reason}: ${result.detail}` : result.reason;
      groups.set(text, [...(groups.get(text) ?? []), item.name]);
    }
    for (const [text, names] of groups) lines.push(`${title}: ${text} (${names.join(', ')})`);
  }
  return lines;
}

function heading(run) {
  const versions = run.contestants
    .filter(({ version }) => version)
    .map(({ title, version }) => `${title} ${version}`);
  return [
    `Node ${run.node.version} (V8 ${run.node.v8}), ${run.machine.cpu}, ${run.machine.cores} cores, ${run.machine.system}`,
    `${run.date}; ${run.options.rounds} rounds of ${run.options.roundMs} ms; ${run.command}`,
    versions.join(', '),
  ];
}

/** What the numbers are. */
const LEGEND = 'ns per call, or the [unit] of the row: median (minimum) of the rounds';
const RATIO_LEGEND = 'ratio of the medians; below 1, ffi-jit is faster';

function textTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) =>
    row
      .map((text, column) => (column ? text.padStart(widths[column]) : text.padEnd(widths[0])))
      .join('  ')
      .trimEnd();
  return [line(rows[0]), '-'.repeat(line(rows[0]).length), ...rows.slice(1).map(line)].join('\n');
}

const escapePipes = (text) => text.replaceAll('|', '\\|');

function markdownTable(rows) {
  const line = (row) => `| ${row.map(escapePipes).join(' | ')} |`;
  const rule = `|${rows[0].map((_, column) => (column ? ' ---: ' : ' --- ')).join('|')}|`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join('\n');
}

function assemble(run, table, list) {
  const parts = [heading(run), LEGEND, table(timesTable(run))];
  for (const ours of run.contestants.filter(({ role }) => role === 'ours')) {
    const ratios = ratiosTable(run, ours);
    if (ratios) parts.push(RATIO_LEGEND, table(ratios));
  }
  const why = reasons(run);
  if (why.length) parts.push('Dashes:', list(why));
  return parts;
}

const text = (run) =>
  assemble(run, textTable, (lines) => lines.map((line) => `  ${line}`).join('\n'))
    .map((part) => (Array.isArray(part) ? part.join('\n') : part))
    .join('\n\n');

const markdown = (run) =>
  assemble(run, markdownTable, (lines) => lines.map((line) => `- ${line}`).join('\n'))
    .map((part) => (Array.isArray(part) ? part.map((line) => `- ${line}`).join('\n') : part))
    .join('\n\n');

module.exports = { text, markdown };
