'use strict';
// The licences of what is compiled into the addon, for any platform: crates, as cargo resolves them
// (not what only runs during the build), and the libraries that compilers add. A licence that is
// not among LICENSES fails.

const fs = require('node:fs');
const path = require('node:path');
const { findCargo } = require('../cargo.js');
const { root } = require('../paths.js');
const { run, MINUTE } = require('../run.js');

const TEXTS = path.join(root, 'ci/licenses');

/** What we know how to comply with, best first where a crate gives a choice. */
const LICENSES = {
  MIT: 'The MIT licence',
  ISC: 'The ISC licence',
  'MPL-2.0': 'The Mozilla Public License 2.0',
  'Apache-2.0 WITH LLVM-exception': 'The Apache License 2.0 with LLVM exceptions',
  'ZPL-2.1': 'The Zope Public License 2.1',
};

/** Crates without a file for it: the copyright line of their repository. */
const COPYRIGHTS = {
  dynasmrt: 'Copyright 2016 CensoredUsername',
  napi: 'Copyright (c) 2020 LongYinan; Copyright (c) 2018 GitHub',
  'napi-sys': 'Copyright (c) 2020 LongYinan; Copyright (c) 2018 GitHub',
};

/** What is no crate of ours. */
const OTHERS = [
  {
    name: "Rust's standard library",
    license: 'MIT',
    copyright: 'Copyright (c) The Rust Project Contributors',
    note: `with the crates in it: addr2line, adler2, backtrace, cfg-if, compiler_builtins, gimli,
hashbrown, libc, memchr, miniz_oxide, object, rustc-demangle (MIT, at our option)`,
    source: 'https://github.com/rust-lang/rust',
  },
  {
    name: "Zig's compiler_rt",
    license: 'MIT',
    copyright: 'Copyright (c) Zig contributors',
    note: 'in packages that are linked with it',
    source: 'https://ziglang.org',
  },
  {
    name: "LLVM's libunwind",
    license: 'Apache-2.0 WITH LLVM-exception',
    note: 'in the package for Android',
    source: 'https://llvm.org',
  },
  {
    name: 'mingw-w64 runtime',
    license: 'ZPL-2.1',
    copyright: 'Copyright (c) 2009 - 2013 by the mingw-w64 project',
    note: 'in packages for Windows that are linked with it',
    source: 'https://www.mingw-w64.org',
  },
];

/** The crates that a build for some platform links, with their sources' folders. */
async function linkedCrates() {
  const args = ['metadata', '--format-version', '1', '--locked', '--quiet'];
  const result = await run(await findCargo(), args, { timeout: 10 * MINUTE });
  if (!result.ok) throw new Error(`cargo metadata failed\n${result.output}`);
  const { packages, resolve } = JSON.parse(result.output.slice(result.output.indexOf('{')));
  return reachable(packages, resolve.nodes, 'ffi-jit');
}

/** What a crate's normal dependencies lead to, procedural macros and the crate itself left out. */
function reachable(packages, nodes, start) {
  const crates = new Map(packages.map((crate) => [crate.id, crate]));
  const edges = new Map(nodes.map(({ id, deps }) => [id, deps]));
  const seen = new Set();
  const visit = (id) => {
    const isMacro = crates.get(id).targets.some(({ kind }) => kind.includes('proc-macro'));
    if (seen.has(id) || isMacro) return;
    seen.add(id);
    for (const { pkg, dep_kinds: kinds } of edges.get(id)) {
      if (kinds.some(({ kind }) => kind === null)) visit(pkg);
    }
  };
  const [first] = packages.filter(({ name }) => name === start);
  visit(first.id);
  seen.delete(first.id);
  return [...seen].map((id) => crates.get(id)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The licence that we take of an SPDX expression.
 *
 * @throws {Error} if none of the choices is known
 */
function chosenLicense(expression) {
  const choices = expression.split(/ OR |\//).map((choice) => choice.trim());
  const found = Object.keys(LICENSES).find((license) => choices.includes(license));
  if (!found) throw new Error(`no known licence in "${expression}" (ci/lib/packages/licenses.js)`);
  return found;
}

const NAMES = { MIT: /^(?:license-mit|license|copying)(?:\.\w+)?$/i };
const ANY = /^(?:license|copying)(?:\.\w+)?$/i;

/** The licence's file in a crate's folder; undefined if there is none. */
function licenseFile(folder, license) {
  const files = fs.readdirSync(folder).sort().reverse(); // LICENSE-MIT before LICENSE
  const name = files.find((file) => (NAMES[license] ?? ANY).test(file));
  return name && fs.readFileSync(path.join(folder, name), 'utf8');
}

/** The copyright lines that a licence's text starts with, and the rest without its title. */
function split(text) {
  const lines = text.replace(/\r/g, '').split('\n');
  const end = lines.findIndex((line) => /^\s*(?:permission|apache license)\b/i.test(line));
  const head = lines.slice(0, Math.max(end, 0));
  const notices = head.filter((line) => /^\s*copyright\b/i.test(line));
  return {
    copyright: notices.map((line) => line.trim()).join('; '),
    body: lines.slice(head.length).join('\n'),
  };
}

/** One crate as it is listed. */
function describe({ name, version, license: expression, repository, manifest_path: manifest }) {
  const license = chosenLicense(expression);
  const text = licenseFile(path.dirname(manifest), license);
  if (text === undefined && !COPYRIGHTS[name])
    throw new Error(`${name} has no file of its licence`);
  const { copyright, body } = text === undefined ? {} : split(text);
  const listed = { name: `${name} ${version}`, license, source: repository };
  return { ...listed, copyright: COPYRIGHTS[name] ?? copyright, text: body };
}

/** Words in order: two texts of one licence differ in line breaks, quotes and case alone. */
const essence = (text) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();

/** The text of a licence: ours, or the first crate's; all crates must agree. */
function textOf(license, entries) {
  const own = path.join(TEXTS, `${license}.txt`);
  if (fs.existsSync(own)) return fs.readFileSync(own, 'utf8').trim();
  const texts = entries.filter(({ text }) => text !== undefined);
  for (const { name, text } of texts) {
    if (essence(text) !== essence(texts[0].text)) {
      throw new Error(`${name}: its ${license} is not that of ${texts[0].name}`);
    }
  }
  return texts[0].text.replace(/^[ \t]+|[ \t]+$/gm, '').trim();
}

const line = ({ name, copyright, note, source }) =>
  [name, copyright, note, source]
    .filter(Boolean)
    .map((part, i) => (i === 0 ? `* ${part}` : part.replace(/^/gm, '  ')))
    .join('\n');

const HEAD = `What is compiled into the native addon of ffi-jit, and its licences
===================================================================

The addon (ffi-jit.node) contains the libraries below. Made by \`node ci/packages.js\` from
cargo's list of dependencies; it covers all platforms, of which some use less.

The source code of the libraries under the Mozilla Public License is unmodified, and to be had at
the address that is given.
`;

/** The text of THIRD-PARTY-LICENSES. */
async function thirdPartyLicenses() {
  const entries = [...(await linkedCrates()).map(describe), ...OTHERS];
  const sections = Object.entries(LICENSES).map(([license, title]) => {
    const under = entries.filter((entry) => entry.license === license);
    if (under.length === 0) return '';
    const heading = `${title}\n${'-'.repeat(title.length)}`;
    return `${heading}\n\n${under.map(line).join('\n')}\n\n${textOf(license, under)}\n`;
  });
  return [HEAD, ...sections.filter(Boolean)].join('\n\n');
}

module.exports = { chosenLicense, reachable, split, thirdPartyLicenses };
