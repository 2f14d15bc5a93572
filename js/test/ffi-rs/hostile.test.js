'use strict';
// User code that runs while a call is being made, and user code that changed the language.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, call, arrayOf, byValue } = require('../support/ffi');
const { fixturePath } = require('../support/native');
const { assertCoded, throwsCoded } = require('../support/assert-coded');
const { valueInChild } = require('../support/child');

const { DataType: D } = ffi;

/** The second of two things, after the first. */
const then = (_done, value) => value;

/** Cuts a list without reading it. */
function resize(list, length) {
  list.length = length;
}

/** Does other calls of many sizes: whatever the outer call wrote so far must survive. */
function busy() {
  call('concat_strings', D.String, [D.String, D.String], ['x'.repeat(3000), 'y'.repeat(50)]);
  call('sum_i32_array', D.Double, [D.I32Array, D.I32], [Array(500).fill(-1), 500]);
  call('weigh_i32_20', D.I32, Array(20).fill(D.I32), Array(20).fill(-1));
}

test('a getter of an array element that makes calls', () => {
  const list = [1, 2, 3, 4];
  for (const index of [0, 1, 2, 3]) {
    const trap = [...list];
    Object.defineProperty(trap, index, { enumerable: true, get: () => then(busy(), list[index]) });
    assert.equal(call('sum_i32_array', D.Double, [D.I32Array, D.I32], [trap, 4]), 10);
  }
  const names = ['a', 'b'];
  Object.defineProperty(names, 1, { enumerable: true, get: () => then(busy(), 'bb') });
  const joined = call('join_string_array', D.String, [D.StringArray, D.I32], [names, 2]);
  assert.equal(joined, 'a,bb');
});

test('an accessor of the list of values that makes calls', () => {
  const values = ['first', 'second'];
  Object.defineProperty(values, 1, { enumerable: true, get: () => then(busy(), 'SECOND') });
  assert.equal(call('concat_strings', D.String, [D.String, D.String], values), 'firstSECOND');
  const { concat_strings: concat } = ffi.define({
    concat_strings: { library: 'fixture', retType: D.String, paramsType: [D.String, D.String] },
  });
  for (let i = 0; i < 100; i++) assert.equal(concat(values), 'firstSECOND');
});

test('an accessor that throws leaves no frame behind', () => {
  const error = new Error('from the getter');
  const values = [1, 2];
  Object.defineProperty(values, 1, {
    get: () => {
      throw error;
    },
  });
  for (let i = 0; i < 10_000; i++) {
    assert.throws(
      () => call('add_i32', D.I32, [D.I32, D.I32], values),
      (thrown) => thrown === error,
    );
  }
  assert.equal(call('add_i32', D.I32, [D.I32, D.I32], [1, 2]), 3);
});

test('an accessor that gives another value each time', () => {
  let turn = 0;
  const values = [0];
  Object.defineProperty(values, 0, { get: () => (turn++ % 2 ? 'text' : 5) });
  for (let i = 0; i < 20; i++) {
    let result;
    try {
      result = call('echo_i32', D.I32, [D.I32], values);
    } catch (error) {
      assertCoded(error, 'NumberExpected');
      continue;
    }
    assert.equal(result, 5);
  }
});

test('values that change while they are read', () => {
  const list = [1, 2, 3, 4, 5, 6, 7, 8];
  Object.defineProperty(list, 0, { configurable: true, get: () => then(resize(list, 2), 1) });
  try {
    call('sum_i32_array', D.Double, [D.I32Array, D.I32], [list, 2]);
  } catch (error) {
    assertCoded(error);
  }
  const grows = [1, 2];
  Object.defineProperty(grows, 0, { get: () => then(grows.push(...Array(10_000).fill(1)), 1) });
  try {
    call('sum_i32_array', D.Double, [D.I32Array, D.I32], [grows, 2]);
  } catch (error) {
    assertCoded(error);
  }
  const values = [1, 'text'];
  Object.defineProperty(values, 0, { get: () => then(resize(values, 0), 1) });
  throwsCoded(() => call('weigh_mixed_14', D.Double, [D.I32, D.String], values));
});

test('an array in a struct that grows while the members behind it are read', () => {
  const tagged = arrayOf(D.I32Array, 2, { ffiTypeTag: D.StackArray });
  const type = { cells: tagged, late: D.I32, guard: D.I32 };
  const given = {
    cells: [1, 2],
    get late() {
      for (let i = 0; i < 1000; i++) this.cells.push(-1);
      return 3;
    },
    guard: 4,
  };
  throwsCoded(() => call('copied_byte', D.I32, [type, D.I32], [given, 12]), 'InvalidArg');
  // One that shrinks has zeros for the rest.
  const shrinking = {
    cells: [1, 2],
    get late() {
      this.cells.length = 1;
      return 3;
    },
    guard: 4,
  };
  const bytes = [0, 4, 8, 12].map((at) =>
    call('copied_byte', D.I32, [type, D.I32], [{ ...shrinking, cells: [1, 2] }, at]),
  );
  assert.deepEqual(bytes, [1, 2, 3, 4]);
  assert.equal(call('copied_byte', D.I32, [type, D.I32], [shrinking, 4]), 0);
});

test('a Buffer that is detached while the other arguments are read', () => {
  const bytes = new Uint8Array(1024).fill(1);
  const values = [bytes, 0];
  Object.defineProperty(values, 1, {
    get: () => {
      if (bytes.length > 0) structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return 0;
    },
  });
  try {
    // No byte is read: the length is 0.
    assert.equal(call('sum_u8_array', D.Double, [D.U8Array, D.I32], values), 0);
  } catch (error) {
    assertCoded(error);
  }
});

test('a library closed by a getter of its own call', () => {
  ffi.open({ library: 'closes itself', path: fixturePath() });
  const values = [1, 2];
  Object.defineProperty(values, 1, { get: () => then(ffi.close('closes itself'), 2) });
  const types = [D.I32, D.I32];
  let result;
  try {
    result = call('add_i32', D.I32, types, values, { library: 'closes itself' });
  } catch (error) {
    assertCoded(error);
    return;
  }
  assert.equal(result, 3);
});

test('proxies as lists and as the argument itself', () => {
  const params = {
    library: 'fixture',
    funcName: 'add_i32',
    retType: D.I32,
    paramsType: [D.I32, D.I32],
    paramsValue: [40, 2],
  };
  const chatty = {
    get(target, key, receiver) {
      busy();
      return Reflect.get(target, key, receiver);
    },
  };
  assert.equal(ffi.load(new Proxy(params, chatty)), 42);
  for (const field of ['paramsValue', 'paramsType']) {
    let result;
    try {
      result = ffi.load({ ...params, [field]: new Proxy(params[field], chatty) });
    } catch (error) {
      assertCoded(error);
      continue;
    }
    assert.equal(result, 42);
  }
  const lying = new Proxy([1], { get: (_target, key) => (key === 'length' ? 1e5 : 1) });
  try {
    call('sum_i32_array', D.Double, [arrayOf(D.I32Array, 1), D.I32], [lying, 0]);
  } catch (error) {
    assertCoded(error);
  }
});

test('struct fields with getters that make calls', () => {
  const type = { one: D.I32, two: D.I32, b: D.Double, a: D.Double };
  const value = {
    get one() {
      return then(busy(), 1);
    },
    get two() {
      return call('ordered_weigh', D.Double, [type], [{ one: 2, two: 0, b: 0, a: 0 }]);
    },
    b: 3,
    get a() {
      return then(busy(), 4);
    },
  };
  for (let i = 0; i < 50; i++) {
    assert.equal(call('ordered_weigh', D.Double, [type], [value]), 4321);
    assert.equal(
      call(
        'ordered_weigh',
        D.Double,
        [arrayOf(D.StructArray, 1, { structItemType: byValue(type) })],
        [[value]],
      ),
      4321,
    );
  }
});

test('hostile names of functions, libraries and fields', () => {
  const names = [
    '__proto__',
    'constructor',
    "'); process.exit(1); ('",
    '"',
    '\\',
    '`$' + '{1}`',
    '\n',
    '\u2028',
    '',
    '\0',
    '\ud800',
  ];
  for (const name of names) {
    throwsCoded(() => call(name, D.I32));
    throwsCoded(() =>
      ffi.load({ library: name, funcName: 'f', retType: D.I32, paramsType: [], paramsValue: [] }),
    );
    const table = Object.defineProperty({}, name, {
      enumerable: true,
      value: { library: 'fixture', retType: D.I32, paramsType: [] },
    });
    const made = ffi.define(table);
    assert.ok(Object.hasOwn(made, name), JSON.stringify(name));
    throwsCoded(() => made[name]([]));
  }
});

/** Runs the everyday half after `spoil`, and restores the language to report. */
const afterSpoiling = (spoil) =>
  valueInChild(
    ({ ffi, call, arrayOf }, source) => {
      const { DataType: T } = ffi;
      const warm = ffi.define({
        add_i32: { library: 'fixture', retType: T.I32, paramsType: [T.I32, T.I32] },
        concat_strings: { library: 'fixture', retType: T.String, paramsType: [T.String, T.String] },
        sum_i32_array: { library: 'fixture', retType: T.Double, paramsType: [T.I32Array, T.I32] },
      });
      // Each by itself, so that a failure shows which.
      const attempt = (run) => {
        try {
          return run();
        } catch (error) {
          return error.code ?? error.message;
        }
      };
      const work = () => [
        attempt(() => warm.add_i32([40, 2])),
        attempt(() => warm.concat_strings(['a', '\u20ac'])),
        attempt(() => warm.sum_i32_array([[1, 2, 3], 3])),
        attempt(() => call('echo_double', T.Double, [T.Double], [0.5])),
        attempt(() => call('max_u64', T.BigInt, [], []) === -1n),
        attempt(() => call('static_i32_array', arrayOf(T.I32Array, 3))),
        attempt(() => call('static_string_array', arrayOf(T.StringArray, 2))),
        attempt(() => call('wide_length', T.I32, [T.WString], ['wide'])),
        attempt(() => call('set_errno', T.I32, [T.I32], [2], { errno: true }).errnoCode),
        attempt(() => call('echo_i32', T.I32, [T.I32], ['x'])),
      ];
      const fresh = () => {
        const types = [T.Double, T.Double];
        const entry = { library: 'fixture', retType: T.Double, paramsType: types };
        return [
          attempt(() => ffi.define({ add_double: entry }).add_double([1, 2])),
          attempt(() => call('missing', T.I32)),
          attempt(() => call('echo_i32', 55)),
        ];
      };
      work();
      const restore = new Function('source', `return (${source})`)()();
      // Only what was compiled before: compiling is not the hot path, and may use the language.
      let spoiled;
      try {
        spoiled = work();
      } finally {
        restore();
      }
      return [spoiled, fresh(), work()];
    },
    { argument: spoil.toString() },
  );

/** What was called before goes on working; what must be compiled now may fail, but never lies. */
function assertUnharmed([before, fresh, after]) {
  const right = [42, 'a\u20ac', 6, 0.5, true, [1, 2, 3], ['one', ''], 4, 2, 'NumberExpected'];
  assert.deepEqual(before, right);
  assert.deepEqual(after, right);
  [3, 'Unknown', 'ERR_FFI_INVALID_TYPE'].forEach((expected, i) => {
    if (!/^(replaced|set) /.test(fresh[i])) assert.deepEqual(fresh[i], expected);
  });
}

test('setters on Object.prototype, values on Array.prototype', () => {
  const result = afterSpoiling(() => {
    const names = ['get', 'set', 'value', 'writable', 'enumerable', 'code', 'argument', 'errno'];
    names.push('runInNewThread', 'type', 'structItemType', 'dynamicArray', 'cache', 'next', 'key');
    const spoiled = [];
    for (const name of names) {
      // Not enumerable, or struct types would inherit them as fields.
      if (name in Object.prototype) continue;
      // Reading an option must go on to say that it is not there; the descriptor itself must
      // not inherit what was defined a moment ago.
      Object.defineProperty(Object.prototype, name, {
        __proto__: null,
        configurable: true,
        get: () => undefined,
        set() {
          throw new Error(`set ${name}`);
        },
      });
      spoiled[spoiled.length] = name;
    }
    // Holes of an array read these.
    for (const index of [0, 1, 2, 3]) Array.prototype[index] = 'from the prototype';
    return () => {
      for (const name of spoiled) delete Object.prototype[name];
      for (const index of [0, 1, 2, 3]) delete Array.prototype[index];
    };
  });
  assertUnharmed(result);
});

test('replaced builtins', () => {
  const result = afterSpoiling(() => {
    const targets = [
      [
        Array.prototype,
        [
          'push',
          'pop',
          'map',
          'forEach',
          'join',
          'slice',
          'concat',
          'fill',
          'includes',
          'indexOf',
          'every',
          'some',
          'reduce',
          'filter',
        ],
      ],
      [Map.prototype, ['get', 'set', 'has', 'delete', 'forEach']],
      [WeakMap.prototype, ['get', 'set', 'has', 'delete']],
      [Set.prototype, ['add', 'has', 'delete']],
      [Function.prototype, ['call', 'apply', 'bind']],
      [
        String.prototype,
        ['charCodeAt', 'slice', 'replace', 'split', 'isWellFormed', 'startsWith', 'repeat'],
      ],
      [
        Object,
        [
          'keys',
          'entries',
          'assign',
          'freeze',
          'defineProperty',
          'create',
          'fromEntries',
          'getPrototypeOf',
        ],
      ],
      [Array, ['isArray', 'from', 'of']],
      [Number, ['isInteger', 'isSafeInteger', 'isFinite', 'isNaN']],
      [Math, ['trunc', 'floor', 'fround', 'max', 'min', 'imul', 'ceil', 'abs']],
      [JSON, ['stringify', 'parse']],
      [Reflect, ['apply', 'ownKeys', 'get', 'set', 'has', 'construct']],
      [Buffer.prototype, ['toString', 'write', 'utf8Write', 'latin1Write', 'utf8Slice']],
      [Object.getPrototypeOf(Uint8Array.prototype), ['set', 'subarray', 'slice', 'fill']],
      [BigInt, ['asIntN', 'asUintN']],
    ];
    const saved = [];
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i][0];
      const names = targets[i][1];
      for (let k = 0; k < names.length; k++) {
        const name = names[k];
        if (typeof target[name] !== 'function') continue;
        saved[saved.length] = [target, name, target[name]];
        const message = `replaced ${name} was called`;
        target[name] = function spoiled() {
          throw new Error(message);
        };
      }
    }
    return () => {
      for (let i = saved.length - 1; i >= 0; i--) saved[i][0][saved[i][1]] = saved[i][2];
    };
  });
  assertUnharmed(result);
});

test('code generation from strings may be forbidden', () => {
  const value = valueInChild(
    ({ ffi, call, arrayOf }) => {
      const { DataType: T } = ffi;
      return [
        call('add_i32', T.I32, [T.I32, T.I32], [40, 2]),
        call('static_i32_array', arrayOf(T.I32Array, 2)),
      ];
    },
    { flags: ['--disallow-code-generation-from-strings'] },
  );
  assert.deepEqual(value, [42, [1, 2]]);
});

test('frozen intrinsics', () => {
  const value = valueInChild(
    ({ ffi, call }) => call('concat_strings', ffi.DataType.String, [0, 0], ['a', 'b']),
    { flags: ['--frozen-intrinsics'] },
  );
  assert.equal(value, 'ab');
});
