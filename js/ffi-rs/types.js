'use strict';
// From ffi-rs types (numbers and descriptors) to codecs.

const codecs = require('../core/codecs.js');
const { getBytes, getNumbers, getStrings } = require('../core/results.js');
const { kindOf } = require('../core/errors.js');
const { DataType, FFITypeTag } = require('./constants.js');
const { invalidType } = require('./errors.js');

const number = (notation, view, size) =>
  codecs.scalar({ notation, view, size, type: 'number', expected: 'Number' });

const boolean = codecs.scalar({
  notation: 'bool',
  view: 'u8',
  size: 1,
  type: 'boolean',
  expected: 'Boolean',
  encode: (value) => `+${value}`,
  decode: (raw) => `${raw} !== 0`,
});

const bigint = codecs.scalar({
  notation: 'i64',
  view: 'i64',
  size: 8,
  type: 'bigint',
  expected: 'BigInt',
});

/** Codecs of the basic types. */
const BASIC = new Map([
  [DataType.String, codecs.text({ putter: 'putString', getter: 'getString', expected: 'String' })],
  [
    DataType.WString,
    codecs.text({ putter: 'putWideString', getter: 'getWideString', expected: 'String' }),
  ],
  [DataType.U8, number('u8', 'u8', 1)],
  [DataType.I16, number('i16', 'i16', 2)],
  [DataType.I32, number('i32', 'i32', 4)],
  [DataType.U32, number('u32', 'u32', 4)],
  [DataType.Float, number('f32', 'f32', 4)],
  [DataType.Double, number('f64', 'f64', 8)],
  [DataType.I64, codecs.int64Number({ notation: 'i64', signed: true, expected: 'Number' })],
  [DataType.U64, codecs.int64Number({ notation: 'u64', signed: false, expected: 'Number' })],
  [DataType.BigInt, bigint],
  [DataType.Boolean, boolean],
  [DataType.External, codecs.external({ expected: 'External' })],
]);

/** Arrays: their element type, and the typed array that holds elements on the way out. */
const ARRAYS = new Map([
  [DataType.I16Array, { item: DataType.I16, View: Int16Array }],
  [DataType.I32Array, { item: DataType.I32, View: Int32Array }],
  [DataType.FloatArray, { item: DataType.Float, View: Float32Array }],
  [DataType.DoubleArray, { item: DataType.Double, View: Float64Array }],
  [DataType.StringArray, { item: DataType.String }],
  [DataType.U8Array, { item: DataType.U8 }],
]);

const bytesParameter = codecs.liveView({
  expected: 'Buffer',
  accept: (value) => value instanceof Uint8Array,
});

const ARRAY_PARAMETERS = new Map(
  [...ARRAYS].map(([type, { item }]) => [
    type,
    type === DataType.U8Array
      ? bytesParameter
      : codecs.arrayCopy({ item: BASIC.get(item), expected: 'Array' }),
  ]),
);

/** A Void parameter: C gets a null pointer, whatever the value. */
const voidParameter = {
  ...codecs.POINTER,
  simple: true,
  take: () => undefined,
  put: (g, _token, ref) => g.emit(`putNull(${ref});`),
};

const isArrayDescriptor = (type) =>
  type.ffiTypeTag === FFITypeTag.Array || type.ffiTypeTag === FFITypeTag.StackArray;

const isObject = (type) => typeof type === 'object' && type !== null;

/** The codec of a parameter. */
function parameter(type) {
  if (typeof type === 'number') {
    if (type === DataType.Void) return voidParameter;
    const codec = BASIC.get(type) ?? ARRAY_PARAMETERS.get(type);
    if (codec !== undefined) return codec;
    if (type === DataType.StructArray) throw needsDescriptor(type);
    throw unknownType(type);
  }
  if (!isObject(type)) throw notAType(type);
  if (isArrayDescriptor(type)) {
    const codec = ARRAY_PARAMETERS.get(type.type);
    if (codec !== undefined) return codec;
  }
  throw notYet(type);
}

/** The codec of a result. */
function result(type) {
  if (typeof type === 'number') {
    if (type === DataType.Void) return codecs.nothing;
    const codec = BASIC.get(type);
    if (codec !== undefined) return codec;
    if (ARRAYS.has(type) || type === DataType.StructArray) throw needsDescriptor(type);
    throw unknownType(type);
  }
  if (!isObject(type)) throw notAResult(type);
  if (isArrayDescriptor(type) && ARRAYS.has(type.type)) return arrayResult(type);
  throw notYet(type);
}

/** The codec of an array that C returns by pointer. */
function arrayResult({ type, length }) {
  checkLength(length);
  const { View } = ARRAYS.get(type);
  return {
    ...codecs.POINTER,
    simple: true,
    get(g, ref) {
      const count = g.constant(length);
      if (type === DataType.U8Array) return g.local(`${g.constant(getBytes)}(${ref}, ${count})`);
      if (View === undefined) return g.local(`${g.constant(getStrings)}(${ref}, ${count})`);
      return g.local(`${g.constant(getNumbers)}(${ref}, ${g.constant(View)}, ${count})`);
    },
  };
}

function checkLength(length) {
  if (!Number.isInteger(length) || length < 0 || length > 0x3fffffff) {
    throw invalidType(`an array needs a length, got: ${String(length)}`);
  }
}

const nameOf = (type) => Object.keys(DataType).find((name) => DataType[name] === type) ?? type;

const unknownType = (type) => invalidType(`Invalid BasicDataType value: ${type}`);

const needsDescriptor = (type) =>
  invalidType(
    `DataType.${nameOf(type)} has no length here: use arrayConstructor({ type, length }) instead`,
  );

const notAType = (type) =>
  invalidType(`a type can only be number or object but receive ${kindOf(type)}`);

const notYet = () => invalidType('not yet');

/** The error of a result type that is neither number nor object; the text is ffi-rs's. */
const notAResult = (type) =>
  require('./errors.js').failure(
    `ret_value_type can only be number or object but receive ${kindOf(type)}`,
  );

module.exports = { parameter, result };
