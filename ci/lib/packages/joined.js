'use strict';
// Modules that are published in one file: those that every first call needs, whatever it calls. Node
// takes 0.1 ms to find and read a module, beside compiling it, and a first call needs ten (thirty
// with the Koffi API). The sources stay as they are; nothing else about what is published changes, but
// that it is shorter (shortened.js): a module is a function that runs when its exports are first asked
// for, and there is still one of each.

const fs = require('node:fs');
const path = require('node:path').posix;
const { shortened } = require('./shortened.js');

/** The modules of each file, in folders of js/. */
const JOINED = {
  'core/calls.js': [
    ...['core/errors.js', 'core/primordials.js', 'core/memory.js', 'core/tier.js'],
    ...['core/generator.js', 'core/direct.js', 'core/int64.js', 'core/codecs.js'],
    'core/compile.js',
  ],
  'ffi-rs/calls.js': ['ffi-rs/load.js', 'ffi-rs/bind.js', 'ffi-rs/by-type.js', 'ffi-rs/types.js'],
  'koffi/calls.js': [
    ...['koffi/library.js', 'koffi/config.js', 'koffi/errors.js', 'koffi/deprecations.js'],
    ...['koffi/functions.js', 'koffi/values/cast.js', 'koffi/values/codecs.js'],
    ...['koffi/values/integers.js', 'koffi/values/scalars.js', 'koffi/types/derived.js'],
    ...['koffi/types/directions.js', 'koffi/types/model.js', 'koffi/types/names.js'],
    ...['koffi/types/primitives.js', 'koffi/types/prototypes.js', 'koffi/types/scanner.js'],
    ...['koffi/types/settings.js', 'koffi/types/signatures.js', 'koffi/types/strings.js'],
  ],
  // What a program needs that defines types.
  'koffi/definitions.js': [
    ...['koffi/types/api.js', 'koffi/types/enumerations.js', 'koffi/types/records.js'],
    'koffi/types/union-values.js',
  ],
};

/** The file that a module is joined into. */
const HOMES = new Map(
  Object.entries(JOINED).flatMap(([file, modules]) => modules.map((module) => [module, file])),
);

/** A module of ours, by the folder of the file that names it. */
const REQUIRED = /\brequire\('(\.[^']+)'\)/g;

/**
 * A module's text for the place that it gets.
 *
 * @param {string} source
 * @param {string} module its name
 * @param {string} file the file that it is written to
 */
function moved(source, module, file) {
  return source.replace(REQUIRED, (_, name) => {
    const target = path.join(path.dirname(module), name);
    const home = HOMES.get(target) ?? target;
    const relative = path.relative(path.dirname(file), home);
    const found = home === file ? '' : `require('${relative[0] === '.' ? '' : './'}${relative}')`;
    if (home === target) return found;
    return home === file ? `get('${target}')` : `${found}.get('${target}')`;
  });
}

/** The text of a file that modules are joined into. */
function joined(file, modules, read) {
  // In parentheses a function is compiled at once, which it is needed for.
  const functions = modules.map(
    (module) => `'${module}': (function (module, exports) {${moved(read(module), module, file)}}),`,
  );
  return `'use strict';
// Modules that are needed together, each as its source has it.

const functions = {
__proto__: null,
${functions.join('\n')}
};

const made = { __proto__: null };

/** The exports of a module. */
function get(name) {
  let module = made[name];
  if (module === undefined) {
    module = { exports: {} };
    made[name] = module;
    functions[name](module, module.exports);
  }
  return module.exports;
}

exports.get = get;
`;
}

/**
 * Joins the modules of a copy of the sources, and makes all of them shorter. Needs the dev dependencies.
 *
 * @param {string} folder which has core/, ffi-rs/ and koffi/
 */
function joinModules(folder) {
  const at = (name) => path.join(folder, name);
  const sources = fs
    .readdirSync(folder, { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.js'));
  const texts = new Map(
    sources.map((name) => [name, shortened(fs.readFileSync(at(name), 'utf8'))]),
  );
  const read = (name) => {
    if (!texts.has(name)) throw new Error(`js/${name}, which is to be joined, is not there`);
    return texts.get(name);
  };
  for (const [file, modules] of Object.entries(JOINED)) {
    if (texts.has(file)) throw new Error(`js/${file} is there already`);
    fs.writeFileSync(at(file), joined(file, modules, read));
  }
  for (const [name, text] of texts) {
    if (HOMES.has(name)) fs.rmSync(at(name));
    else fs.writeFileSync(at(name), moved(text, name, name));
  }
}

module.exports = { JOINED, joinModules };
