'use strict';
// Codecs of booleans, integers and floating-point numbers. See js/core/codecs.js for what a codec
// is. Here it has, besides, `zero`: an expression of the value of a missing member.

const { native } = require('../../core/loader.js');
const direct = require('../../core/direct.js');
const { putInt64 } = require('../../core/int64.js');
const { RESULT, split } = require('../../core/memory.js');
const { mismatch } = require('../errors.js');
const { fromBigInt } = require('./integers.js');

/** Emits a token: the value itself when it is a number, else what `convert` makes of it. */
function numberOr(g, convert, value, where) {
  const info = g.constant({ ...where, expected: 'number' });
  return g.local(
    `typeof ${value} === 'number' ? ${value} : ${g.constant(convert)}(${value}, ${info})`,
  );
}

/** The low 32 bits of a bigint as a number. */
function toInt32(value, info) {
  if (typeof value === 'bigint') return Number(BigInt.asIntN(32, value));
  throw mismatch(info, value);
}

function toDouble(value, info) {
  if (typeof value === 'bigint') return Number(value);
  throw mismatch(info, value);
}

/** A number or bigint, or the error. */
function checkInteger(value, info) {
  if (typeof value === 'bigint') return value;
  throw mismatch(info, value);
}

/** Any number or bigint as a bigint, by the rules of 64-bit integers. */
function toBigInt(value, signed) {
  if (typeof value === 'bigint') return value;
  const [low, high] = split(value, signed);
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Doubles below it are whole numbers of their own. */
const SAFE = 2 ** 53;

const common = ({ notation, size, align }) => ({ notation: notation(), size, align, simple: true });

const ACCESSOR = { 2: 'Int16', 4: 'Int32', 8: 'BigInt64' };

/** An integer of up to 32 bits: typed-array stores reduce a number modulo 2^bits. */
function integer(own) {
  const { size, signed, swapped } = own;
  if (size === 8) return swapped ? swapped64(own) : integer64(own);
  const view = `${signed ? 'i' : 'u'}${size * 8}`;
  const accessor = `${signed ? '' : 'U'}${ACCESSOR[size]}`.replace('UI', 'Ui');
  return {
    ...common(own),
    zero: '0',
    direct: swapped ? undefined : direct.numberDirect(view),
    take: (g, value, where) => numberOr(g, toInt32, value, where),
    put(g, token, ref) {
      if (swapped) g.emit(`dv.set${accessor}(${ref}, ${token}, false);`);
      else g.write(view, ref, token);
    },
    get: (g, ref) => (swapped ? `dv.get${accessor}(${ref}, false)` : g.read(view, ref)),
  };
}

function integer64(own) {
  const { signed } = own;
  const view = signed ? 'i64' : 'u64';
  return {
    ...common(own),
    zero: '0',
    direct: {
      ...direct.int64Direct,
      back: (g, raw) =>
        `${raw} > -${SAFE} && ${raw} < ${SAFE} ? ${raw} : ` +
        `${g.constant(fromBigInt)}(${g.read(view, new g.Ref(null, RESULT, 8))})`,
    },
    take: (g, value, where) => numberOr(g, checkInteger, value, where),
    put(g, value, ref) {
      g.emit(`if (typeof ${value} !== 'number') {`);
      g.write(view, ref, value);
      g.emit('} else {');
      putInt64(g, value, ref, signed);
      g.emit('}');
    },
    get(g, ref) {
      const high = g.local(g.read(signed ? 'i32' : 'u32', ref.plus(4)));
      const least = signed ? `${high} >= -2097152 && ` : '';
      const small = `${high} * 4294967296 + ${g.read('u32', ref)}`;
      const wide = `${g.constant(fromBigInt)}(${g.read(view, ref)})`;
      return g.local(`${least}${high} < 2097152 ? ${small} : ${wide}`);
    },
  };
}

/** A 64-bit integer in the byte order that is not the machine's. */
function swapped64(own) {
  const name = own.signed ? 'BigInt64' : 'BigUint64';
  const convert = (value) => toBigInt(value, own.signed);
  return {
    ...common(own),
    zero: '0',
    take: (g, value, where) => numberOr(g, checkInteger, value, where),
    put: (g, token, ref) =>
      g.emit(`dv.set${name}(${ref}, ${g.constant(convert)}(${token}), false);`),
    get: (g, ref) => g.local(`${g.constant(fromBigInt)}(dv.get${name}(${ref}, false))`),
  };
}

const float = (own) => ({
  ...common(own),
  zero: '0',
  direct: direct.numberDirect(own.size === 4 ? 'f32' : 'f64'),
  take: (g, value, where) => numberOr(g, toDouble, value, where),
  put: (g, token, ref) => g.write(own.size === 4 ? 'f32' : 'f64', ref, token),
  get: (g, ref) => g.read(own.size === 4 ? 'f32' : 'f64', ref),
});

const boolean = (own) => ({
  ...common(own),
  zero: 'false',
  direct: direct.booleanDirect,
  take(g, value, where) {
    const info = g.constant({ ...where, expected: 'boolean' });
    g.emit(`if (typeof ${value} !== 'boolean') throw ${g.mismatch}(${info}, ${value});`);
    return `+${value}`;
  },
  put: (g, token, ref) => g.write('u8', ref, token),
  get: (g, ref) => `${g.read('u8', ref)} !== 0`,
});

/** An argument behind the dots of a variadic function, by C's default promotions. */
function promoted(own) {
  if (own.kind === 'float' && own.size === 4) {
    const double = { ...own, size: 8, align: native.layout('f64')[1], notation: () => 'f64' };
    const codec = float(double);
    const put = (g, token, ref) => codec.put(g, `Math.fround(${token})`, ref);
    return { ...codec, put, direct: undefined };
  }
  if (own.kind === 'bool') return { ...boolean(own), ...asInt((token) => token) };
  if (own.kind !== 'int' || own.size >= 4 || own.swapped) return undefined;
  const bits = 32 - own.size * 8;
  const shift = own.signed ? '>>' : '>>>';
  return { ...integer(own), ...asInt((token) => `${token} << ${bits} ${shift} ${bits}`) };
}

const asInt = (convert) => ({
  notation: 'i32',
  size: 4,
  align: 4,
  direct: undefined,
  put: (g, token, ref) => g.write('i32', ref, convert(token)),
});

module.exports = { boolean, float, integer, promoted };
