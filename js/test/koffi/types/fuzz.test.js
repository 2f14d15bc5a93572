'use strict';
// Any string in, an Error or a type out: type strings and prototypes from a grammar with faults,
// and from real ones with changed bytes; then random definitions. FFI_JIT_SEED repeats a run.

const assert = require('node:assert/strict');
const test = require('node:test');
const { inspect } = require('node:util');
const { api: koffi, internals, resetNames } = require('../../../koffi/types');
const { readDeclaration } = require('../../../koffi/types/prototypes');
const { forgetSignatures, readFunction, signatureOf } = require('../../../koffi/types/signatures');
const { SLOW } = require('../../support/child');
const { randomOf, seedOf } = require('../../support/random');

const TEXTS = Number(process.env.FFI_JIT_FUZZ_TYPES || 60_000);
const DEFINITIONS = Math.ceil(TEXTS / 4);

const seed = seedOf();
const { below, chance, pick, times } = randomOf(seed);

/** What only a mistake of ours says. */
const OUR_FAULT =
  /undefined \(|Cannot read|is not a function|not iterable|Symbol value to|call stack/;

/** Codes of errors that are meant for users. */
const CODES = new Set(['ERR_FFI_INVALID_TYPE', 'ERR_FFI_INVALID_ARGUMENT']);

/** Runs an attempt: a value that `valid` accepts, or an error that is meant for users. */
function survive(attempt, valid, what) {
  let value;
  try {
    value = attempt();
  } catch (error) {
    const meant = error?.constructor === Error || error?.constructor === TypeError;
    const ok = meant && !OUR_FAULT.test(error.message) && CODES.has(error.code);
    if (!ok) assert.fail(`seed ${seed}: ${what()}: ${inspect(error)}`);
    return undefined;
  }
  if (!valid(value)) assert.fail(`seed ${seed}: ${what()} gave ${inspect(value)}`);
  return value;
}

const isType = (value) => value instanceof koffi.TypeObject && internals(value) !== undefined;

function define() {
  resetNames();
  koffi.opaque('Op');
  koffi.struct('Rec', { a: 'int', self: 'Rec *' });
  koffi.union('Uni', { a: 'int', b: 'double' });
  koffi.proto('int Cb(int)');
  koffi.alias('Arr', 'int[2]');
}

const BASES = [
  'int',
  'unsigned int',
  'char',
  'Rec',
  'Uni',
  'long long',
  'str',
  'double',
  'uint8_t',
];
const ODD_BASES = [
  'void',
  'Op',
  'Cb',
  'Arr',
  'nope',
  'unsigned',
  '',
  'const',
  'const char',
  '_Out_',
];
const SUFFIXES = ['*', ' *', '*', ' const *'];
const ODD_SUFFIXES = ['!', '[3]', '[ 12 ]', ' const ', '[0]', '[', ']', '[x]', '[99999999999]'];
const NAMES = ['a', 'f', 'int', '_', 'x9', '\u540d', '9', '', 'const', '__stdcall', '_Inout_'];
const SIGNS = ['(', ')', ',', ';', '...', '[', ']', '*', '!', '.', ':', '/', '"', '\\', '\0', '\n'];
const BLANKS = ['', ' ', '  ', '\t', '\n', ' ', ' '];

/** Mostly what is right, and sometimes what is odd. */
const usual = (list, odd) => pick(chance(0.85) ? list : odd);

const typeText = () => {
  const suffixes = times(3, () => usual(SUFFIXES, ODD_SUFFIXES));
  return `${usual(BASES, ODD_BASES)}${suffixes.join(pick(BLANKS))}`;
};
const parameter = () => {
  const direction = chance(0.2) ? `${pick(['_In_', '_Out_', '_Inout_'])} ` : '';
  return `${direction}${typeText()} ${pick(NAMES)}`;
};
const convention = () =>
  chance(0.2) ? ` ${pick(['__stdcall', '__cdecl', '__fastcall', '__thiscall', '__x'])} ` : ' ';
const prototypeText = () => {
  const params = times(3, parameter);
  if (chance(0.2)) params.push('...');
  const called = chance(0.9) ? `f${below(1000)}` : pick(NAMES);
  const end = usual(['', ';', ' ;'], ['x', ';;']);
  return `${typeText()}${convention()}${called}(${params.join(',')})${end}`;
};

/** Changes a text at random places: drops, doubles, swaps and inserts. */
function mutate(text) {
  let units = [...text];
  for (let n = 1 + below(4); n > 0; n--) {
    const at = below(units.length + 1);
    switch (below(5)) {
      case 0:
        units.splice(at, 1 + below(3));
        break;
      case 1:
        units.splice(at, 0, pick(SIGNS));
        break;
      case 2:
        units.splice(at, 0, String.fromCharCode(below(chance(0.5) ? 128 : 65_536)));
        break;
      case 3:
        units.splice(at, 0, ...units.slice(below(units.length + 1)).slice(0, 8));
        break;
      default:
        units = [...units.slice(at), ...units.slice(0, at)];
    }
  }
  return units.join('');
}

/** Bytes of a text, changed, and read as Latin-1 or as UTF-8. */
function mutateBytes(text) {
  const bytes = Buffer.from(text);
  for (let n = 1 + below(3); n > 0 && bytes.length > 0; n--)
    bytes[below(bytes.length)] ^= 1 << below(8);
  return bytes.toString(chance(0.5) ? 'latin1' : 'utf8');
}

test(`type strings and prototypes (seed ${seed})`, () => {
  console.log(`seed ${seed}: FFI_JIT_SEED=${seed} repeats it`);
  let types = 0;
  define();
  for (let i = 0; i < TEXTS; i++) {
    if (i % 64 === 0) define();
    const isPrototype = chance(0.5);
    let text = isPrototype ? prototypeText() : typeText();
    if (chance(0.5)) text = chance(0.7) ? mutate(text) : mutateBytes(text);
    const what = () => `${isPrototype ? 'proto' : 'type'} ${JSON.stringify(text)}`;
    const made = survive(() => (isPrototype ? koffi.proto(text) : koffi.type(text)), isType, what);
    if (made === undefined) continue;
    types++;
    if (!isPrototype) assert.equal(koffi.type(text), made, what());
  }
  // That most inputs are refused at the first token would prove little.
  assert.ok(types > TEXTS / 10, `only ${types} of ${TEXTS} were types`);
});

test(`what was read once is not read otherwise (seed ${seed})`, () => {
  /** The name and signature of arguments of `lib.func`, or the message of the error. */
  const read = (reader, args) => {
    try {
      const { name, signature } = reader(args);
      return [name, signature];
    } catch (error) {
      return error.message;
    }
  };
  const anew = (args) => {
    const draft = readDeclaration(args, { anonymous: false });
    return { name: draft.name, signature: signatureOf(draft) };
  };
  const types = () =>
    usual(['int', 'double', 'char *', 'Rec *'], ['int\0', 'nope', 5, '_Out_ int *']);
  let texts = [];
  let good = 0;
  for (let i = 0; i < TEXTS; i++) {
    if (i % 1024 === 0) {
      define();
      forgetSignatures();
      texts = Array.from({ length: 64 }, prototypeText);
    }
    let args = [pick([`f${below(9)}`, ...NAMES]), types(), times(3, types)];
    if (chance(0.6)) {
      // Another name, and seldom another text, for what was read before.
      const text = pick(texts).replace(/\w+\(/, (found) =>
        chance(0.5) ? `${pick(NAMES)}(` : found,
      );
      args = [chance(0.1) ? mutate(text) : text];
    }
    const expected = read(anew, args);
    const got = read(readFunction, args);
    const what = `seed ${seed}: ${inspect(args)}: ${inspect(got)}, not ${inspect(expected)}`;
    if (typeof expected === 'string') assert.equal(got, expected, what);
    else {
      good++;
      // `!` makes a type of its own each time that it is read.
      const same = got[1] === expected[1] || inspect(args).includes('!');
      assert.deepEqual([got[0], same], [expected[0], true], what);
    }
  }
  assert.ok(good > TEXTS / 10, `only ${good} of ${TEXTS} were right`);
});

const junk = () =>
  pick([
    () => undefined,
    () => null,
    () => true,
    () => below(20) - 3,
    () => pick([NaN, Infinity, 1.5, -0, 2 ** 31, 2 ** 53, 1e300]),
    () => BigInt(below(10)) - 2n,
    () => Symbol('junk'),
    () => () => 1,
    () => typeText(),
    () => pick(NAMES),
    () => [],
    () => [pick([1, 2, 4, 8, 3]), typeText()],
    () => ({}),
    () => members(),
    () => new Date(0),
    () => new Map(),
    () => Buffer.alloc(2),
    () => new Float32Array(1),
    () => new Proxy({}, {}),
    () => Object.create(null),
    () => pick(Object.values(koffi.types)),
    () => koffi.opaque(),
    () => koffi.out('int *'),
    () => new koffi.Union('Uni'),
  ])();

const specifier = () => (chance(0.75) ? typeText() : junk());
const members = () =>
  Object.fromEntries(times(5, (i) => [chance(0.9) ? `m${i}` : pick(NAMES), specifier()]));
const name = () =>
  chance(0.7) ? `T${below(40)}` : pick([null, undefined, koffi.opaque(), 'a b', '']);

const calls = {
  struct: () => (chance(0.3) ? [members()] : [name(), members()]),
  pack: () => [name(), members()],
  union: () => [name(), members()],
  enumeration: () => [
    name(),
    Object.fromEntries(times(3, (i) => [`V${i}`, pick([i, -i, 2n ** 40n])])),
  ],
  opaque: () => [name()],
  alias: () => [`T${below(40)}`, specifier()],
  pointer: () =>
    pick([[specifier()], [name(), specifier()], [specifier(), below(6)], [null, typeText(), 'm0']]),
  array: () =>
    pick([
      [specifier(), below(9)],
      [specifier(), 'm0', below(9)],
      [typeText(), 3, pick(NAMES)],
    ]),
  disposable: () => pick([[specifier()], [name(), specifier()], [name(), specifier(), () => {}]]),
  proto: () => [name(), specifier(), times(4, specifier)],
  type: () => [specifier()],
};

test(`definitions (seed ${seed})`, () => {
  let types = 0;
  for (let i = 0; i < DEFINITIONS; i++) {
    if (i % 128 === 0) define();
    const member = pick(Object.keys(calls));
    const args = chance(0.85) ? calls[member]() : times(4, junk);
    const given = args.find((arg) => typeof arg === 'string' && /^T\d+$/.test(arg));
    const known = (text) => {
      try {
        return koffi.type(text);
      } catch {
        return undefined;
      }
    };
    const before = given && known(given);
    const what = () => `${member}(${args.map((arg) => inspect(arg)).join(', ')})`;
    const made = survive(() => koffi[member](...args), isType, what);
    if (made === undefined) {
      if (given) assert.equal(known(given), before, `seed ${seed}: ${what()} left a trace`);
      continue;
    }
    types++;
    const { size, align } = internals(made);
    assert.deepEqual([made.size, made.alignment], [size, align], what());
    assert.equal(align === 0 ? size : size % align, 0, what());
  }
  assert.ok(types > DEFINITIONS / 10, `only ${types} of ${DEFINITIONS} were types`);
});

test('long texts take linear time', () => {
  define();
  const long = 400_000;
  const parts = [
    'a ',
    'int ',
    '*',
    '!',
    'const ',
    '[1]',
    '(',
    ', int',
    ' ',
    '...',
    '_Out_ ',
    '9',
    '\u540d',
  ];
  for (const part of parts) {
    for (const head of ['', 'int *', 'int f(', 'int f(int', 'int f(int) ']) {
      const text = head + part.repeat(long / part.length);
      const started = process.hrtime.bigint();
      survive(
        () => koffi.type(text),
        isType,
        () => `type ${text.slice(0, 40)}`,
      );
      survive(
        () => koffi.proto(text),
        isType,
        () => `proto ${text.slice(0, 40)}`,
      );
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      assert.ok(seconds < 2 * SLOW, `${text.slice(0, 40)}: ${seconds} s`);
    }
  }
});
