'use strict';
// Section 3.1: strings and wide strings in both directions.

const assert = require('node:assert/strict');
const test = require('node:test');
const { ffi, call } = require('../support/ffi');
const { CODES, throwsCoded } = require('../support/assert-coded');

const { DataType } = ffi;
const echo = (text) => call('echo_string', DataType.String, [DataType.String], [text]);
const echoWide = (text) => call('echo_wide', DataType.WString, [DataType.WString], [text]);

const TEXTS = [
  '',
  'a',
  'plain ASCII',
  'gr\u00fc\u00df',
  '\u20ac uro',
  '\u{1F600} beyond the BMP \u{10FFFF}',
  '\u0001\u007f\u0080\u07ff\u0800\uffff',
  '\ufeffwith a byte order mark',
  'e\u0301 is not \u00e9',
  'line\r\nbreak\ttab',
];

for (const text of TEXTS) {
  test(`round trip of ${JSON.stringify(text)}`, () => {
    assert.equal(echo(text), text);
    assert.equal(
      call('string_bytes', DataType.I32, [DataType.String], [text]),
      Buffer.byteLength(text),
    );
    assert.equal(echoWide(text), text);
    const units = process.platform === 'win32' ? text.length : [...text].length;
    assert.equal(call('wide_length', DataType.I32, [DataType.WString], [text]), units);
  });
}

test('lengths around every size that a buffer might have', () => {
  for (let power = 1; power <= 17; power++) {
    for (const length of [2 ** power - 2, 2 ** power - 1, 2 ** power, 2 ** power + 1]) {
      const ascii = 'x'.repeat(length);
      assert.equal(call('string_bytes', DataType.I32, [DataType.String], [ascii]), length);
      assert.equal(echo(ascii), ascii);
      const two = '\u00e9'.repeat(length);
      assert.equal(call('string_bytes', DataType.I32, [DataType.String], [two]), 2 * length);
    }
  }
});

test('megabytes', () => {
  const long = 'long \u20ac '.repeat(400_000);
  assert.equal(echo(long), long);
  assert.equal(echoWide(long), long);
  const made = call('make_string', DataType.String, [DataType.I32], [3_000_000]);
  assert.equal(made.length, 3_000_000);
  assert.ok(made.startsWith('abcdefg') && /^[a-z]+$/.test(made));
});

test('strings that V8 keeps in other forms', () => {
  const sliced = 'a long string to take a slice of, long enough'.slice(7, 40);
  const consed = ['con', 'cat', 'enated '].reduce(
    (a, b) => a + b + a,
    'long enough to be a cons string',
  );
  const twoByteAscii = 'only ASCII here\u20ac'.slice(0, 15);
  for (const text of [
    sliced,
    consed,
    twoByteAscii,
    String(12345.678),
    `${Symbol.iterator.description}`,
  ]) {
    assert.equal(echo(text), text);
    assert.equal(echoWide(text), text);
  }
});

test('several strings in one call stay apart', () => {
  const a = 'first \u20ac '.repeat(1000);
  const b = 'second '.repeat(3000);
  assert.equal(
    call('concat_strings', DataType.String, [DataType.String, DataType.String], [a, b]),
    a + b,
  );
  assert.equal(
    call('concat_wide', DataType.WString, [DataType.WString, DataType.WString], [a, b]),
    a + b,
  );
  assert.equal(call('concat_strings', DataType.String, [0, 0], ['', '']), '');
});

test('a result may point into an argument', () => {
  const types = [DataType.String, DataType.I32];
  assert.equal(call('string_tail', DataType.String, types, ['hello world', 6]), 'world');
  const long = `${'x'.repeat(100_000)}tail`;
  assert.equal(call('string_tail', DataType.String, types, [long, 100_000]), 'tail');
});

test('C sees a String up to an embedded NUL', () => {
  assert.equal(call('string_bytes', DataType.I32, [DataType.String], ['ab\0cd']), 2);
  assert.equal(echo('ab\0cd'), 'ab');
  assert.equal(echo('\0'), '');
});

test('a WString with an embedded NUL is refused', () => {
  for (const text of ['ab\0cd', '\0', 'end\0']) {
    throwsCoded(() => echoWide(text), CODES.argument);
  }
});

test('a lone surrogate is refused, in any place', () => {
  const message = 'invalid utf-16: lone surrogate found';
  for (const text of [
    '\ud800',
    '\udc00',
    'a\ud83d',
    '\ude00b',
    '\ud83d\ud83d\ude00',
    '\udc00\ud800',
  ]) {
    throwsCoded(() => echo(text), CODES.invalid, message);
    throwsCoded(() => echoWide(text), CODES.invalid, message);
    throwsCoded(
      () => echo('long enough not to be inlined anywhere '.repeat(2000) + text),
      CODES.invalid,
      message,
    );
  }
});

test('a NULL result is null', () => {
  assert.equal(call('null_string', DataType.String), null);
  assert.equal(call('null_wide', DataType.WString), null);
});

test('results from static memory', () => {
  assert.equal(call('static_string', DataType.String), 'a static string');
  assert.equal(call('empty_string', DataType.String), '');
  assert.equal(call('unicode_string', DataType.String), 'gr\u00fc\u00df \u20ac \u{1F600}');
  assert.equal(call('static_wide', DataType.WString), 'gr\u00fc\u00df \u20ac \u{1F600}');
  assert.equal(call('empty_wide', DataType.WString), '');
});

test('invalid UTF-8 in a result becomes U+FFFD', () => {
  const expected = [
    'a\ufffdb',
    'a\ufffd(b',
    'a\ufffd',
    'a\ufffd\ufffd\ufffdb',
    'a\ufffd\ufffdb',
    'a\ufffd\ufffd\ufffd\ufffdb',
    'valid',
  ];
  expected.forEach((text, kind) => {
    assert.equal(
      call('invalid_utf8', DataType.String, [DataType.I32], [kind]),
      text,
      `kind ${kind}`,
    );
  });
});

test('invalid wide characters in a result become U+FFFD', {
  skip: process.platform === 'win32' && 'every wchar_t is valid UTF-16',
}, () => {
  for (const kind of [0, 1, 2]) {
    assert.equal(call('invalid_wide', DataType.WString, [DataType.I32], [kind]), 'a\ufffdb');
  }
});

test('wide characters as C sees them', () => {
  const at = (text, i) =>
    call('wide_unit', DataType.U32, [DataType.WString, DataType.I32], [text, i]);
  assert.equal(at('a\u20ac', 1), 0x20ac);
  assert.equal(at('a', 1), 0);
  if (process.platform !== 'win32') assert.equal(at('\u{1F600}', 0), 0x1f600);
});

test('bytes as C sees them', () => {
  const at = (text, i) =>
    call('string_byte', DataType.U8, [DataType.String, DataType.I32], [text, i]);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => at('\u20ac', i)),
    [0xe2, 0x82, 0xac, 0],
  );
});

test('what is no string is refused', () => {
  for (const value of [
    5,
    true,
    undefined,
    1n,
    {},
    [],
    ['a'],
    () => 'a',
    new String('a'),
    Symbol('a'),
  ]) {
    throwsCoded(() => echo(value), CODES.string);
    throwsCoded(() => echoWide(value), CODES.string);
  }
});
