'use strict';

const { TEXT_16, TEXT_1K, TEXT_UMLAUTS } = require('./values');

/** Strings in and out. */
module.exports = [
  {
    name: 'concat',
    title: 'concatenateStrings: char *f(char *, char *)',
    original: true,
    expected: () => 'foobar',
  },
  {
    name: 'atoi',
    title: 'atoi: int f(char *)',
    original: true,
    expected: () => 1000,
  },
  { name: 'str16', title: 'string in, 16 ASCII characters', expected: () => 16 },
  { name: 'str200', title: 'string in, 200 ASCII characters', expected: () => 200 },
  { name: 'str1k', title: 'string in, 1,024 ASCII characters', expected: () => 1024 },
  { name: 'str_utf8', title: 'string in, 16 non-ASCII characters', expected: () => 32 },
  { name: 'str16_result', title: 'string out, 16 ASCII characters', expected: () => TEXT_16 },
  { name: 'str1k_result', title: 'string out, 1,024 ASCII characters', expected: () => TEXT_1K },
  {
    name: 'str_utf8_result',
    title: 'string out, 16 non-ASCII characters',
    expected: () => TEXT_UMLAUTS,
  },
];
