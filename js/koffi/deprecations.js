'use strict';
// Warnings of what Koffi has deprecated, under its codes: once per code.

const warned = new Set();

/** Old forms, by the name of what they are: Koffi's code, and what to write instead. */
const DEPRECATIONS = {
  cdecl: ['KOFFI003', 'lib.cdecl() is deprecated; use lib.func()'],
  stdcall: ['KOFFI004', "lib.stdcall() is deprecated; use lib.func('__stdcall', ...)"],
  fastcall: ['KOFFI005', "lib.fastcall() is deprecated; use lib.func('__fastcall', ...)"],
  thiscall: ['KOFFI006', "lib.thiscall() is deprecated; use lib.func('__thiscall', ...)"],
  registerThis: [
    'KOFFI009',
    'koffi.register() with a value for this is deprecated; use function.bind()',
  ],
};

/** Warns of an old form that is used. */
function deprecated([code, message]) {
  if (warned.has(code)) return;
  warned.add(code);
  process.emitWarning(message, 'DeprecationWarning', code);
}

module.exports = { DEPRECATIONS, deprecated };
