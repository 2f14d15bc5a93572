'use strict';
// Text that crosses with a call (js/core/text-calls.js): it is one crossing, and all that can happen
// while C has the strings. Required by a suite for each tier.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, callback, byValue } = require('../support/ffi');
const { fixturePath } = require('../support/native');
const { throwsCoded, CODES } = require('../support/assert-coded');
const { randomOf, seedOf } = require('../support/random');
const { describe } = require('../../core/tier.js');
const { native } = require('../../core/loader.js');
const { views, TOP } = require('../../core/memory.js');
const { HAS_PACKED, bound, entered, optimised } = require('./support');

const { DataType: D } = ffi;
const { u32 } = views;

const LONE = 'invalid utf-16: lone surrogate found';

/** How often memory is read as text by a call of its own while `body` runs. */
function reads(body) {
  const names = ['string', 'wideString', 'string16', 'string32'];
  const originals = names.map((name) => native[name]);
  let count = 0;
  names.forEach((name, i) => {
    native[name] = () => {
      count += 1;
      return originals[i]();
    };
  });
  try {
    body();
  } finally {
    names.forEach((name, i) => {
      native[name] = originals[i];
    });
  }
  return count;
}

const echo = () => bound('echo_string', D.String, [D.String], ['']);
const size = () => bound('string_bytes', D.I32, [D.String], ['']);

/** Strings in every form that V8 has, each with a different way to its characters. */
function forms(text) {
  const half = text.length >> 1;
  const joined = text.slice(0, half) + text.slice(half);
  const flat = `${text.slice(0, half)}${text.slice(half)}`;
  flat.charCodeAt(half);
  const key = Buffer.from(text, 'utf16le').toString('utf16le');
  const thin = `${key.slice(0, half)}${key.slice(half)}`;
  Object.hasOwn({ [key]: 1 }, thin);
  return [
    text,
    joined,
    flat,
    key,
    thin,
    `(${text})`.slice(1, -1),
    JSON.parse(JSON.stringify(text)),
  ];
}

/** Calls both functions of the tier with a text in all its forms. */
function assertCrosses(text, echoed, sized) {
  const bytes = Buffer.byteLength(text);
  for (const form of forms(text)) {
    assert.equal(sized([form]), bytes);
    assert.equal(echoed([form]), text);
  }
}

test('one crossing takes strings in and brings one back', () => {
  const tier = HAS_PACKED ? process.env.FFI_JIT_TIER : 'node-api';
  const one = bound('static_string', D.String, [], []);
  const tail = bound('string_tail', D.String, [D.String, D.I32], ['hello', 1]);
  const wide = bound('echo_wide', D.WString, [D.WString], ['']);
  assert.equal(describe(tail).tier, tier === 'direct' ? 'packed' : tier);
  const run = optimised(() => [
    one([]),
    tail(['hello world', 6]),
    wide(['gr\u00fc\u00df \u{1F600}']),
  ]);
  const counts = entered(() => {
    const separate = reads(() => {
      const expected = ['a static string', 'world', 'gr\u00fc\u00df \u{1F600}'];
      for (let i = 0; i < 100; i++) assert.deepEqual(run(), expected);
    });
    assert.equal(separate, 0);
  });
  assert.equal(counts.fast + counts.slow, tier === 'node-api' ? 0 : 300);
  assert.ok(reads(() => bound('static_string_array', D.Void, [], [])) === 0);
});

test('all lengths around the steps of copying, in every form', () => {
  const [echoed, sized] = [echo(), size()];
  for (const unit of ['a', '\u00e9', '\u20ac', '\u{1F600}']) {
    for (let length = 0; length <= 70; length++) {
      assertCrosses(unit.repeat(length), echoed, sized);
      if (length > 0) assertCrosses(`${'x'.repeat(length - 1)}${unit}`, echoed, sized);
      if (length > 0) assertCrosses(`${unit}${'x'.repeat(length - 1)}`, echoed, sized);
    }
    for (const length of [127, 128, 129, 511, 512, 513, 2047, 2048, 2049, 4095, 4096, 70_000]) {
      assertCrosses(unit.repeat(length), echoed, sized);
      // Text that is likely to be ASCII, and is not.
      assertCrosses('x'.repeat(length), echoed, sized);
      assertCrosses(`${'x'.repeat(length - 1)}${unit}`, echoed, sized);
    }
  }
});

test('random strings', () => {
  const seed = seedOf();
  const random = randomOf(seed);
  const alphabets = [
    () => 32 + random.below(95),
    () => 1 + random.below(255),
    () => 1 + random.below(0x7ff),
    () => 0xe000 + random.below(0x2000),
    () => random.pick([0x41, 0xef, 0xff, 0x100, 0xfffd, 0xffff, 0x10000, 0x10ffff]),
  ];
  const [echoed, sized] = [echo(), size()];
  const both = bound('heard_string', D.String, [D.String, D.String], ['', '']);
  for (let i = 0; i < 1500; i++) {
    const text = () => {
      const draw = random.pick(alphabets);
      return String.fromCodePoint(...random.times(80, draw));
    };
    const [a, b] = [text(), text()];
    try {
      assertCrosses(a, echoed, sized);
      assert.equal(both([a, b]), b);
    } catch (error) {
      throw new Error(`FFI_JIT_SEED=${seed}: ${JSON.stringify([a, b])}`, { cause: error });
    }
  }
});

test('a lone surrogate is an error, and C is not called', () => {
  let heard = 0;
  const listener = callback({ paramsType: [D.String], retType: D.Void, callbackMode: 0 }, () => {
    heard += 1;
  });
  const bytes = bound('heard_bytes', D.I32, [D.String], ['']);
  const two = bound('heard_string', D.String, [D.String, D.String], ['', '']);
  listener.free();
  const top = u32[TOP];
  const hot = optimised((text) => {
    try {
      return bytes([text ?? 'fine']);
    } catch (error) {
      return error.message;
    }
  });
  for (const text of [
    '\ud800',
    'a\udc00',
    `${'x'.repeat(40)}\ud800`,
    `${'x'.repeat(400)}\ud800`,
    `\udc00${'x'.repeat(1999)}`,
    `${'\u20ac'.repeat(100)}\ud800`,
    '\udc00\ud800',
    '\ufffd\ud800',
  ]) {
    assert.equal(hot(text), LONE);
    throwsCoded(() => bytes([text]), CODES.invalid, LONE);
    throwsCoded(() => two([text, 'b']), CODES.invalid, LONE);
    throwsCoded(() => two(['a', text]), CODES.invalid, LONE);
  }
  assert.equal(hot('\ufffd is a character'), 18);
  assert.equal(two(['\ufffd', '\ufffd\u{1F600}']), '\ufffd\u{1F600}');
  assert.equal(heard, 0);
  assert.equal(u32[TOP], top);
});

test('wide strings: what they cannot hold is an error', () => {
  const wide = bound('heard_wide', D.WString, [D.WString], ['']);
  for (const text of ['', 'a', 'gr\u00fc\u00df', '\u{10FFFF}\ufffd', 'w'.repeat(5000)]) {
    for (const form of forms(text)) assert.equal(wide([form]), text);
  }
  throwsCoded(() => wide(['a\ud800b']), CODES.invalid, LONE);
  throwsCoded(() => wide(['a\0b']), CODES.invalid, 'a wide string cannot contain a NUL character');
});

test('null, other values, and the wrong number of them', () => {
  const isNull = bound('string_is_null', D.Boolean, [D.String], ['']);
  const echoed = echo();
  const nothing = bound('null_string', D.String, [], []);
  const hot = optimised(() => [isNull([null]), isNull(['']), echoed([null]), nothing([])]);
  assert.deepEqual(hot(), [true, false, null, null]);
  for (const value of [undefined, 1, 1n, {}, Symbol('s'), Buffer.from('x'), Object('x')]) {
    throwsCoded(() => echoed([value]), CODES.string);
  }
  throwsCoded(() => echoed([]), CODES.unknown);
  assert.equal(echoed(['a\0b']), 'a');
});

test('what has no room in frame memory, alone and beside others', () => {
  const [echoed, sized] = [echo(), size()];
  const both = bound('heard_string', D.String, [D.String, D.String], ['', '']);
  const nine = bound('nine_bytes', D.I32, Array(9).fill(D.String), Array(9).fill(''));
  const top = u32[TOP];
  for (const unit of ['a', '\u00e9', '\u20ac']) {
    const width = Buffer.byteLength(unit);
    // Around the end of 2 MiB, and well beyond it.
    for (const length of [698_000, 699_100, 1_048_000, 2_090_000, 2_097_152]) {
      const long = unit.repeat(length);
      assert.equal(sized([long]), length * width);
      assert.equal(both([long, 'short']), 'short');
      assert.equal(both(['short', long]), long);
      assert.equal(both([long, long]), long);
    }
    assert.equal(echoed([unit.repeat(3_000_000)]).length, 3_000_000);
  }
  assert.equal(nine(['a', 'bb', null, '', '\u00e9', 'x'.repeat(3e6), 'g', 'h', 'i']), 18_000_039);
  assert.equal(u32[TOP], top);
});

test('strings beside a struct result, numbers and errno', () => {
  const facts = byValue({ bytes: D.I64, first: D.I64, factor: D.I64 });
  const of = bound('facts_of', facts, [D.String, D.I32], ['', 1]);
  const hot = optimised(() => of(['gr\u00fc\u00df', 10]));
  assert.deepEqual(hot(), { bytes: 60, first: 103, factor: 10 });
  assert.deepEqual(of(['z'.repeat(3e6), 2]), { bytes: 6e6, first: 122, factor: 2 });
  throwsCoded(() => of(['\ud800', 1]), CODES.invalid, LONE);
  throwsCoded(() => of(['x', '1']), CODES.number);
  const types = [D.String, D.I32];
  const failing = bound('string_and_errno', D.String, types, ['', 0], { errno: true });
  const run = optimised(() => failing(['text', 2]));
  const { errnoCode, value } = run();
  assert.deepEqual([errnoCode, value], [2, 'text']);
  const freed = bound('make_string', D.String, [D.I32], [3], { freeResultMemory: true });
  assert.equal(freed([30]), 'abcdefghijklmnopqrstuvwxyzabcd');
});

/** Runs `body` while `fn` listens to the strings of `heard_...`. */
function listening(fn, body) {
  const type = { paramsType: [D.String], retType: D.I32 };
  const made = callback(type, (text) => {
    fn(text);
    return 0;
  });
  const set = bound('set_listener', D.Void, [D.External], [made.fn]);
  try {
    body();
  } finally {
    set([null]);
    made.free();
  }
}

test('an exception of a callback wins over the string that C returns', () => {
  const both = bound('heard_string', D.String, [D.String, D.String], ['', '']);
  const bytes = bound('heard_bytes', D.I32, [D.String], ['']);
  const wide = bound('heard_wide', D.WString, [D.WString], ['']);
  const plain = bound('add_i32', D.I32, [D.I32, D.I32], [1, 2]);
  const top = u32[TOP];
  let fails = true;
  const thrown = new RangeError('of the listener');
  const caught = optimised(() => {
    try {
      return both(['a', 'b']);
    } catch (error) {
      return error;
    }
  });
  const listen = () => {
    if (fails) throw thrown;
  };
  listening(listen, () => {
    for (let i = 0; i < 50; i++) {
      fails = i % 3 === 0;
      assert.equal(caught(), fails ? thrown : 'b');
      assert.equal(plain([i, 1]), i + 1, 'nothing is left over');
      fails = true;
      assert.throws(() => bytes(['text']), thrown);
      assert.throws(() => wide(['text']), thrown);
      assert.throws(() => both(['x'.repeat(3e6), 'b']), thrown);
    }
  });
  assert.equal(both(['a', 'b']), 'b');
  assert.equal(u32[TOP], top);
});

test('calls inside calls keep the strings of the outer ones, also under collections', () => {
  const both = bound('heard_string', D.String, [D.String, D.String], ['', '']);
  const [echoed, sized] = [echo(), size()];
  let depth = 0;
  const inner = (text) => {
    if (depth === 5) {
      globalThis.gc();
      return;
    }
    depth += 1;
    const mine = `${text}/${depth}`;
    assert.equal(echoed(['y'.repeat(50_000)]).length, 50_000);
    assert.equal(sized(['\u20ac'.repeat(depth)]), 3 * depth);
    assert.equal(both([mine, `b${mine}`]), `b${mine}`);
    globalThis.gc({ type: 'minor' });
    depth -= 1;
  };
  const run = optimised((i) => both(['outer', `kept ${i}`]));
  listening(inner, () => {
    for (let i = 0; i < 20; i++) {
      depth = 0;
      assert.equal(run(i), `kept ${i}`);
    }
  });
});

test('frame memory that is nearly full', () => {
  const both = bound('heard_string', D.String, [D.String, D.String], ['', '']);
  let depth = 0;
  const long = 'z'.repeat(400_000);
  listening(
    () => {
      if (depth === 8) return;
      depth += 1;
      assert.equal(both([`inner ${depth}`, long]), long);
      depth -= 1;
    },
    () => {
      for (let i = 0; i < 10; i++) assert.equal(both(['outer', long]), long);
    },
  );
});

test('short ASCII inside of calls with short ASCII, whatever they throw', () => {
  const both = bound('heard_string', D.String, [D.String, D.String], ['', '']);
  const sized = size();
  // What is not ASCII is not expected again after so many calls.
  for (let i = 0; i < 100; i++) assert.equal(sized(['ascii']), 5);
  const top = u32[TOP];
  const thrown = new RangeError('of the listener');
  let depth = 0;
  const inner = (text) => {
    assert.ok(u32[TOP] > top, 'what C still reads is taken');
    if (depth === 6) throw thrown;
    depth += 1;
    const mine = `${text.slice(0, 3)} ${depth}`;
    assert.equal(sized([mine]), mine.length);
    const before = u32[TOP];
    let result;
    try {
      result = both([mine, `kept ${mine}`]);
    } catch (error) {
      result = error;
    }
    depth -= 1;
    assert.equal(u32[TOP], before);
    if (depth === 5) assert.equal(result, thrown);
    else assert.equal(result, `kept ${mine}`);
  };
  const run = optimised((i) => both(['out', `kept ${i}`]));
  listening(inner, () => {
    for (let i = 0; i < 50; i++) {
      depth = 0;
      assert.equal(run(i), `kept ${i}`);
      assert.equal(u32[TOP], top);
    }
  });
});

test('ASCII after other text, and other text after ASCII', () => {
  const [echoed, sized] = [echo(), size()];
  const both = bound('heard_string', D.String, [D.String, D.String], ['', '']);
  const texts = [
    'plain',
    '\u00fc\u00f6\u00e4',
    'a\u00e9',
    '\u20ac uro',
    '\u{1F600}',
    '',
    'x'.repeat(40),
    'x'.repeat(100),
    '\u00e9'.repeat(100),
  ];
  for (const first of texts) {
    for (const next of texts) {
      for (const text of [first, next, next, first]) {
        assertCrosses(text, echoed, sized);
        assert.equal(both(['short', text]), text);
        assert.equal(both([text, 'short']), 'short');
      }
      throwsCoded(() => sized(['\ud800']), CODES.invalid, LONE);
      throwsCoded(() => both(['ok', `${first}\udc00`]), CODES.invalid, LONE);
    }
    for (let i = 0; i < 70; i++) assert.equal(sized(['ascii']), 5);
  }
});

test('functions of a closed library throw, hot or not, whatever they get', () => {
  ffi.open({ library: 'closing', path: fixturePath() });
  const entry = { library: 'closing', retType: D.String, paramsType: [D.String] };
  const { echo_string: echoed } = ffi.define({ echo_string: entry });
  const one = { library: 'closing', retType: D.String, paramsType: [] };
  const { static_string: fixed } = ffi.define({ static_string: one });
  const hot = optimised((text) => [echoed([text ?? 'a']), fixed([])]);
  assert.deepEqual(hot('x'), ['x', 'a static string']);
  ffi.close('closing');
  const top = u32[TOP];
  for (let i = 0; i < 20; i++) {
    throwsCoded(() => hot('x'), CODES.closed);
    assert.equal(u32[TOP], top);
    throwsCoded(() => echoed(['x'.repeat(3e6)]), CODES.closed);
    throwsCoded(() => fixed([]), CODES.closed);
  }
  assert.equal(echo()(['another']), 'another');
});

test('descriptions of text are checked', () => {
  const shapes = [[0], [1, 1], [1, 3, 0], [1, 0, 0, 1], [1, 0, 0, 3, 0, 0], Array(30).fill(0)];
  const wrong = [[], ...shapes.map(([stacked, ...rest]) => [stacked, 63, ...rest])];
  for (const numbers of wrong) {
    throwsCoded(() => native.textShape(Uint32Array.from(numbers)), CODES.argument);
  }
  for (const shape of [0, 1.5, Number.NaN]) {
    throwsCoded(() => native.textEntry(shape, 1), CODES.argument);
  }
});
