'use strict';
// The rules of docs/architecture.md, section 2, checked on the source text:
//   - a Rust module imports only from rows above its own (and from `error`);
//   - rows 0 to 3 contain no `unsafe` and no `cfg` on the target;
//   - `napi` appears only in src/node/sys.rs, which looks its functions up (and behind its feature in
//     src/lib.rs);
//   - js/core imports only itself and Node's built-in modules, a dialect only itself and js/core.

const path = require('node:path');
const { filesBelow, read } = require('./lib/files.js');

/** The rows in order, and which of them are pure. A module may import what stands before it. */
const ROWS = ['target', 'types', 'abi', 'plan', 'arch', 'code', 'call', 'node'];
const PURE = new Set(['target', 'types', 'abi', 'plan', 'arch']);
const SHARED = new Set(['error']);

/** Blanks comments, string and character literals, keeping line breaks (and so line numbers). */
function rustCode(source) {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|b?r(#*)"[\s\S]*?"\1|b?"(?:[^"\\]|\\[\s\S])*"|b?'(?:[^'\\\n]|\\[^\n]{1,9}?)'/g;
  return source.replace(token, (text) => text.replace(/[^\n]/g, ' '));
}

/** Every `[line, module]` that Rust code names below the crate root. */
function rustImports(code, isRoot) {
  const found = [];
  const note = (index, name) => found.push([lineOf(code, index), name]);
  const collect = (at, rest) => {
    if (rest[0] !== '{') {
      const name = /^\w+/.exec(rest);
      if (name) note(at, name[0]);
      return;
    }
    let depth = 0;
    for (const match of rest.matchAll(/[{}]|\w+/g)) {
      if (match[0] === '}') depth -= 1;
      else if (match[0] === '{') depth += 1;
      else if (depth === 1 && /[{,]\s*$/.test(rest.slice(0, match.index))) {
        note(at + match.index, match[0]);
      }
      if (depth === 0) break;
    }
  };
  for (const match of code.matchAll(/\b(?:crate|ffi_jit)\s*::\s*/g)) {
    const at = match.index + match[0].length;
    collect(at, code.slice(at));
  }
  // `super` reaches the crate root from src/<row>/mod.rs, `super::super` from src/<row>/x.rs.
  const reach = isRoot ? /\b(?:super::)+(\w+)/g : /\b(?:super::){2,}(\w+)/g;
  for (const match of code.matchAll(reach)) {
    if (ROWS.includes(match[1])) note(match.index, match[1]);
  }
  return found;
}

/** The text from the parenthesis at `start` to the one that closes it. */
function parenthesis(code, start) {
  let depth = 0;
  for (let at = start; at < code.length; at++) {
    if (code[at] === '(') depth += 1;
    else if (code[at] === ')' && --depth === 0) return code.slice(start, at + 1);
  }
  return code.slice(start);
}

const lineOf = (code, index) => code.slice(0, index).split('\n').length;

/**
 * What is wrong with one Rust file of src/.
 *
 * @param {string} file path below the checkout, with forward slashes
 * @param {string} source its text
 * @returns {string[]} "file:line: what"
 */
function checkRust(file, source) {
  const code = rustCode(source);
  const problems = [];
  const report = (line, what) => problems.push(`${file}:${line}: ${what}`);
  const [, row] = /^src\/(\w+)/.exec(file);

  if (file !== 'src/node/sys.rs' && row !== 'lib') {
    for (const match of code.matchAll(/\bnapi\b/g)) {
      report(lineOf(code, match.index), '`napi` belongs to src/node/sys.rs alone');
    }
  }
  if (row === 'lib') return problems;
  if (!ROWS.includes(row) && !SHARED.has(row)) {
    report(1, `module "${row}" is in no row (ci/layers.js, docs/architecture.md section 2)`);
    return problems;
  }
  for (const [line, name] of rustImports(code, file.endsWith(`src/${row}/mod.rs`))) {
    if (SHARED.has(name) || name === row || !ROWS.includes(name)) continue;
    if (SHARED.has(row) || ROWS.indexOf(name) > ROWS.indexOf(row)) {
      report(line, `"${row}" imports "${name}", which is not above it`);
    }
  }
  if (PURE.has(row)) {
    for (const match of code.matchAll(/\bunsafe\b/g)) {
      report(lineOf(code, match.index), `\`unsafe\` in row "${row}", which is pure`);
    }
    for (const match of code.matchAll(/\bcfg(?:_attr)?!?\s*(?=\()/g)) {
      const condition = parenthesis(code, match.index + match[0].length);
      if (/\btarget_\w+|\b(?:unix|windows)\b/.test(condition)) {
        report(lineOf(code, match.index), `\`cfg\` on the target in row "${row}", which is pure`);
      }
    }
  }
  return problems;
}

/** What is wrong with one file of js/core or of a dialect. */
function checkJs(file, source) {
  const code = source.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  const problems = [];
  const own = file.split('/').slice(0, 2).join('/');
  const specifier = /\b(?:require\(|import\(|from\s|import\s)\s*(['"])([^'"]+)\1/g;
  for (const match of code.matchAll(specifier)) {
    const [, , name] = match;
    let target = name;
    if (name.startsWith('.')) target = path.posix.join(path.posix.dirname(file), name);
    const inside = (folder) => target.startsWith(`${folder}/`);
    const allowed =
      name.startsWith('node:') ||
      inside(own) ||
      (own !== 'js/core' && inside('js/core')) ||
      (file === 'js/core/packaged.js' && name.startsWith('ffi-jit-'));
    if (!allowed) {
      const rule = own === 'js/core' ? 'itself' : 'itself and js/core';
      const line = lineOf(code, match.index);
      problems.push(`${file}:${line}: imports "${name}"; ${own} imports only ${rule}`);
    }
  }
  return problems;
}

/** Checks the whole tree. */
function checkTree() {
  const rust = filesBelow('src', /\.rs$/);
  const js = filesBelow('js', /\.[cm]?js$/).filter((file) => !file.startsWith('js/test/'));
  const problems = [
    ...rust.flatMap((file) => checkRust(file, read(file))),
    ...js.flatMap((file) => checkJs(file, read(file))),
  ];
  return { files: rust.length + js.length, problems };
}

module.exports = { checkRust, checkJs, checkTree };

if (require.main === module) {
  const { files, problems } = checkTree();
  for (const problem of problems) console.error(problem);
  console.log(`${files} files, ${problems.length} violations of the layer rules`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
