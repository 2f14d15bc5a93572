'use strict';
// Strings, wide strings and arrays, both ways.

const TEXTS = [
  '',
  'a',
  'plain',
  'gr\u00fc\u00df',
  '\u20ac',
  '\u{1F600}',
  'ab\0cd',
  '\0',
  '\ufeffbom',
  'x'.repeat(100_000),
];
const LONE = ['\ud800', '\udc00', 'a\ud83d', '\ude00b'];
const WRONG = {
  number: 5,
  boolean: true,
  null: null,
  undefined,
  bigint: 1n,
  object: {},
  array: ['a'],
  wrapper: new String('a'),
};
const show = (text) => JSON.stringify(text.length > 20 ? `${text.slice(0, 5)}...` : text);

module.exports = ({ ffi: { DataType: D }, call, arrayOf }) => {
  const cases = [];
  const add = (id, run) => cases.push([id, run]);
  for (const text of [...TEXTS, ...LONE]) {
    add(`strings/${show(text)}`, () => call('echo_string', D.String, [D.String], [text]));
    add(`strings/bytes of ${show(text)}`, () => call('string_bytes', D.I32, [D.String], [text]));
    add(`wide/${show(text)}`, () => call('echo_wide', D.WString, [D.WString], [text]));
  }
  for (const [kind, value] of Object.entries(WRONG)) {
    add(`strings/wrong ${kind}`, () => call('string_is_null', D.Boolean, [D.String], [value]));
    add(`wide/wrong ${kind}`, () => call('wide_is_null', D.Boolean, [D.WString], [value]));
  }
  for (const kind of [0, 1, 2, 3, 4, 5, 6]) {
    add(`strings/invalid result ${kind}`, () => call('invalid_utf8', D.String, [D.I32], [kind]));
  }
  for (const kind of [0, 1, 2])
    add(`wide/invalid result ${kind}`, () => call('invalid_wide', D.WString, [D.I32], [kind]));
  add('strings/NULL result', () => call('null_string', D.String));
  add('wide/NULL result', () => call('null_wide', D.WString));
  add('strings/static', () => call('unicode_string', D.String));
  add('wide/static', () => call('static_wide', D.WString));
  add('strings/into an argument', () =>
    call('string_tail', D.String, [D.String, D.I32], ['hello world', 6]),
  );
  add('strings/concatenated', () =>
    call('concat_strings', D.String, [D.String, D.String], ['a', '\u20ac']),
  );

  const numeric = { i16: D.I16Array, i32: D.I32Array, float: D.FloatArray, double: D.DoubleArray };
  for (const [name, type] of Object.entries(numeric)) {
    const sum =
      (value, described = type) =>
      () =>
        call(`sum_${name}_array`, D.Double, [described, D.I32], [value, value?.length ?? 0]);
    add(`arrays/${name}/bare`, sum([1, 2, 3]));
    add(`arrays/${name}/empty`, sum([]));
    add(`arrays/${name}/described`, sum([1, 2, 3], arrayOf(type, 3)));
    add(`arrays/${name}/described too short`, sum([1, 2, 3], arrayOf(type, 1)));
    add(`arrays/${name}/described too long`, sum([1, 2, 3], arrayOf(type, 9)));
    add(`arrays/${name}/tagged`, sum([1, 2, 3], arrayOf(type, 3, { ffiTypeTag: D.StackArray })));
    add(`arrays/${name}/conversions`, sum([1.9, 40_000, 2 ** 31, -1.5, NaN]));
    add(`arrays/${name}/long`, sum(Array(10_000).fill(1)));
    add(`arrays/${name}/typed array`, sum(new Int32Array(3)));
    for (const [kind, value] of Object.entries({
      number: 5,
      string: 'ab',
      null: null,
      undefined,
      object: {},
    })) {
      add(`arrays/${name}/wrong ${kind}`, sum(value));
    }
    for (const [kind, value] of Object.entries({
      string: '1',
      null: null,
      undefined,
      bigint: 1n,
    })) {
      add(`arrays/${name}/wrong element ${kind}`, sum([1, value]));
    }
    add(`arrays/${name}/hole`, sum(new Array(2)));
    add(`arrays/${name}/result`, () => call(`static_${name}_array`, arrayOf(type, 4)));
    add(`arrays/${name}/empty result`, () => call(`static_${name}_array`, arrayOf(type, 0)));
    add(`arrays/${name}/tagged result`, () =>
      call(`static_${name}_array`, arrayOf(type, 2, { ffiTypeTag: D.StackArray })),
    );
    add(`arrays/${name}/echoed`, () =>
      call(`echo_${name}_array`, arrayOf(type, 2), [type], [[7, 8]]),
    );
    add(`arrays/${name}/NULL result`, () => call(`null_${name}_array`, arrayOf(type, 2)));
    add(`arrays/${name}/bare result`, () => call(`static_${name}_array`, type));
  }
  const bytes = (value, length) => () =>
    call('sum_u8_array', D.Double, [D.U8Array, D.I32], [value, length]);
  add('arrays/u8/Buffer', bytes(Buffer.from([1, 2, 255]), 3));
  add('arrays/u8/Uint8Array', bytes(new Uint8Array([1, 2, 255]), 3));
  add('arrays/u8/offset view', bytes(new Uint8Array([9, 9, 1, 2]).subarray(2), 2));
  add('arrays/u8/wrong string', bytes('abc', 3));
  add('arrays/u8/empty is NULL', () =>
    call('pointer_is_null', D.Boolean, [D.U8Array], [Buffer.alloc(0)]),
  );
  add('arrays/u8/result', () => call('static_u8_array', arrayOf(D.U8Array, 3)));
  add('arrays/u8/live memory', () => {
    const buffer = Buffer.from([1, 2]);
    call('xor_bytes', D.I32, [D.U8Array, D.I32, D.U8], [buffer, 2, 0xff]);
    return buffer;
  });
  const joined = (value) => () =>
    call('join_string_array', D.String, [D.StringArray, D.I32], [value, value.length]);
  add('arrays/string/joined', joined(['a', '', '\u20ac']));
  add('arrays/string/empty', joined([]));
  for (const [kind, value] of Object.entries({ number: 1, null: null, undefined, object: {} })) {
    const second = () =>
      call('string_array_at', D.String, [D.StringArray, D.I32], [['a', value], 1]);
    add(`arrays/string/wrong element ${kind}`, second);
  }
  add('arrays/string/lone surrogate', joined(['\ud800']));
  add('arrays/string/result', () => call('static_string_array', arrayOf(D.StringArray, 4)));
  add('arrays/string/invalid result', () =>
    call('string_array_invalid', arrayOf(D.StringArray, 2)),
  );
  add('arrays/string/NULL result', () => call('null_string_array', arrayOf(D.StringArray, 2)));
  add('arrays/string/NULL element', () =>
    call('string_array_with_null', arrayOf(D.StringArray, 3)),
  );
  add('arrays/string/echoed', () =>
    call('echo_string_array', arrayOf(D.StringArray, 2), [D.StringArray], [['a', 'b']]),
  );
  return cases;
};
