'use strict';
// One fuzz run, started by ../ffi-rs/fuzz.test.js: random descriptors and values against load,
// define, createPointer and restorePointer, with a C function that looks at nothing.
//
// Arguments: seed, number of cases. Prints one JSON line. With FFI_JIT_FUZZ_TRACE set, each case
// is written to stderr before it runs, so that the last line names the one that crashed.

const fs = require('node:fs');
const { inspect } = require('node:util');
const { ffi } = require('./ffi');
const { randomOf } = require('./random');

const [seed, cases] = process.argv.slice(2).map(Number);
const { below, chance, next, pick, times } = randomOf(seed);
const { DataType: D, arrayConstructor, funcConstructor } = ffi;
const TRACE = process.env.FFI_JIT_FUZZ_TRACE;

/** What our own getters throw; it may come through as it is. */
const MARKER = new Error('thrown by the fuzzer');

const SCALARS = [D.String, D.I32, D.Double, D.Boolean, D.I64, D.U8, D.External, D.U64, D.Float];
SCALARS.push(D.WString, D.BigInt, D.I16, D.U32, D.Void);
const ARRAYS = [D.I32Array, D.StringArray, D.DoubleArray, D.U8Array, D.FloatArray, D.I16Array];
const NAMES = [
  'a',
  'b',
  'type',
  'length',
  'value',
  '0',
  '1',
  '__proto__',
  'constructor',
  'x y',
  '"',
];

const zeroed = ffi.load({
  library: 'fixture',
  funcName: 'allocate',
  retType: D.External,
  paramsType: [D.U32],
  paramsValue: [1 << 20],
});
// Whatever is read through these is zero, or refused.
const externals = [
  zeroed,
  ffi.unwrapPointer(ffi.createPointer({ paramsType: [D.Void], paramsValue: [undefined] }))[0],
];

const junk = () =>
  pick([
    () => undefined,
    () => null,
    () => true,
    () => below(1200) - 100,
    () => (next() - 0.5) * 2 ** below(80),
    () => NaN,
    () => pick([Infinity, -Infinity, -0, 2 ** 53, 1.5]),
    () => 'text'.repeat(below(4)),
    () => pick(['\ud800', 'a\0b', '\u20ac', 'x'.repeat(5000)]),
    () => BigInt(below(1000)) ** BigInt(below(12)),
    () => Symbol('junk'),
    () => () => 1,
    () => new Date(0),
    () => new Map([[1, 2]]),
    () => Buffer.from('buffer'.repeat(below(3))),
    () => pick([new Int32Array(2), new Float64Array(2), new DataView(new ArrayBuffer(8))]),
    () => new ArrayBuffer(8),
    () => new Array(below(4)),
    () => times(3, junk),
    () => ({ [pick(NAMES)]: below(100) }),
    () => Object.create(null),
    () => new Proxy({}, {}),
    () => new Proxy([1, 2], {}),
    () => pick(externals),
    () =>
      Object.defineProperty({}, 'a', {
        enumerable: true,
        get: () => {
          throw MARKER;
        },
      }),
    () =>
      Object.defineProperty([1, 2], 0, {
        enumerable: true,
        get: () => {
          throw MARKER;
        },
      }),
    () =>
      new (class {
        a = 1;
        get b() {
          return 2;
        }
      })(),
  ])();

const lengths = (huge) => {
  if (chance(0.9)) return below(9);
  const wrong = [-1, NaN, '3', null, undefined, 1.5, 1n, {}];
  return pick(huge ? [...wrong, 2 ** 31, 2 ** 53, Infinity] : wrong);
};

function record(depth, options) {
  const type = {};
  for (const name of times(5, () => pick(NAMES))) {
    const field = typeOf(depth - 1, options);
    Object.defineProperty(type, name, {
      value: field,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  if (chance(0.5)) type.ffiTypeTag = D.StackStruct;
  return type;
}

/** A type: mostly well-formed, sometimes spoiled in some place. */
function typeOf(depth, options) {
  if (chance(0.01)) return junk();
  if (depth <= 0 || chance(0.4)) return pick(SCALARS);
  if (chance(0.03)) return pick([...ARRAYS, D.StructArray, D.Array, D.Function, 55, -1]);
  return pick([
    () => record(depth, options),
    () => {
      const description = { type: pick(ARRAYS), length: lengths(options.huge) };
      if (chance(0.3)) description.ffiTypeTag = pick([D.StackArray, D.Array, D.StackStruct, 5]);
      return arrayConstructor(description);
    },
    () => {
      const structItemType = chance(0.95) ? record(depth - 1, options) : junk();
      const description = { type: D.StructArray, length: lengths(options.huge), structItemType };
      if (chance(0.4)) description.ffiTypeTag = D.StackArray;
      return arrayConstructor(description);
    },
    () => {
      const paramsType = chance(0.95) ? times(3, () => typeOf(depth - 1, options)) : junk();
      const description = { paramsType, retType: typeOf(depth - 1, options), needFree: true };
      return funcConstructor(description);
    },
  ])();
}

const SCALAR_VALUES = {
  [D.String]: () => pick(['', 'text', 'gr\u00fc\u00df', 'long '.repeat(below(400))]),
  [D.WString]: () => pick(['', 'wide', '\u{1F600}']),
  [D.Boolean]: () => chance(0.5),
  [D.BigInt]: () => BigInt(below(2 ** 31)) ** 2n,
  [D.External]: () => pick(externals),
  [D.Void]: () => undefined,
};

/** A value: mostly one that fits the type. */
function fitting(type) {
  if (chance(0.04)) return junk();
  if (typeof type === 'number') {
    if (type === D.U8Array) return Buffer.alloc(below(20));
    if (type === D.StringArray) return times(5, () => 'item');
    if (ARRAYS.includes(type)) return times(9, () => fitting(D.Double));
    return (SCALAR_VALUES[type] ?? (() => (next() - 0.5) * 2 ** below(70)))();
  }
  if (type === null || typeof type !== 'object') return junk();
  if (type.ffiTypeTag === D.Function) return () => 1;
  if (type.ffiTypeTag === D.Array || type.ffiTypeTag === D.StackArray) {
    const length = typeof type.length === 'number' && type.length < 20 ? type.length : 2;
    if (type.type === D.U8Array) return Buffer.alloc(Math.max(0, length) || 0);
    const item =
      type.type === D.StructArray
        ? type.structItemType
        : type.type === D.StringArray
          ? D.String
          : D.Double;
    return Array.from({ length: chance(0.9) ? Math.max(0, length) || 0 : below(12) }, () =>
      fitting(item),
    );
  }
  const value = {};
  for (const name in type) {
    if (name === 'ffiTypeTag' || chance(0.02)) continue;
    let field;
    try {
      field = fitting(type[name]);
    } catch {
      field = 1;
    }
    Object.defineProperty(value, name, { value: field, enumerable: true });
  }
  return value;
}

const isByValue = (type) => {
  try {
    return type !== null && typeof type === 'object' && type.ffiTypeTag === D.StackStruct;
  } catch {
    return false;
  }
};

/** The function returns a null pointer; a struct by value would be read from where nobody wrote. */
const resultType = () => {
  const type = typeOf(3, { huge: true });
  return isByValue(type) ? D.Void : type;
};

const parameters = () => {
  const paramsType = times(4, () => typeOf(3, { huge: chance(0.1) }));
  const paramsValue = chance(0.97) ? paramsType.map(fitting) : times(4, junk);
  return { paramsType, paramsValue };
};

const kinds = {
  load() {
    const params = {
      library: 'fixture',
      funcName: 'null_pointer',
      retType: resultType(),
      ...parameters(),
    };
    if (chance(0.1)) params.errno = pick([true, false, junk()]);
    if (chance(0.02)) params[pick(['library', 'funcName', 'paramsType', 'paramsValue'])] = junk();
    return [params, () => ffi.load(params)];
  },
  define() {
    const { paramsType, paramsValue } = parameters();
    const entry = { library: 'fixture', retType: resultType(), paramsType };
    const values = chance(0.97) ? paramsValue : junk();
    const table = { null_pointer: chance(0.99) ? entry : junk() };
    return [{ table, values }, () => ffi.define(table).null_pointer(values)];
  },
  createPointer() {
    const params = chance(0.98) ? parameters() : junk();
    const run = () => {
      const paramsValue = ffi.createPointer(params);
      if (chance(0.7)) {
        const { paramsType } = params;
        ffi.freePointer({ paramsType, paramsValue, pointerType: ffi.PointerType.RsPointer });
      }
    };
    return [params, run];
  },
  restorePointer() {
    const retType = times(3, () => typeOf(3, { huge: false }));
    const paramsValue = retType.map(() => (chance(0.97) ? zeroed : pick([junk(), null, 5])));
    const params = { retType, paramsValue: chance(0.98) ? paramsValue : junk() };
    return [params, () => ffi.restorePointer(params)];
  },
};

const counts = { ok: 0, error: 0, codes: {} };
const names = Object.keys(kinds);
for (let index = 0; index < cases; index++) {
  const name = pick(names);
  const [shown, run] = kinds[name]();
  if (TRACE) fs.writeSync(2, `${index} ${name} ${inspect(shown, { depth: 8 })}\n`);
  try {
    run();
    counts.ok++;
  } catch (error) {
    counts.error++;
    // An accessor of the value threw, ours or one of the language that meets a strange receiver.
    if (error === MARKER || /^.*\n\s+at get /.test(error?.stack)) continue;
    const coded =
      error instanceof Error &&
      typeof error.code === 'string' &&
      error.code !== '' &&
      error.message !== '';
    if (!coded) {
      const what = error instanceof Error ? error.stack : inspect(error);
      const input = inspect(shown, { depth: 8 });
      console.log(JSON.stringify({ index, name, input, what, code: String(error?.code) }));
      process.exit(1);
    }
    counts.codes[error.code] = (counts.codes[error.code] ?? 0) + 1;
  }
}
console.log(JSON.stringify(counts));
process.exit(0);
