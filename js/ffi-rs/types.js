'use strict';
// From ffi-rs types (numbers and descriptors) to codecs.
//
// A type is read in a role, which decides what a bare array, Void or a struct means:
//   parameter   an argument of a call, a value of createPointer, a result of a callback
//   result      a result of a call, a value of restorePointer, an argument of a callback
//   member      a field of a struct

const codecs = require('../core/codecs.js');
const { native } = require('../core/loader.js');
const { isView, mapGet, mapSet } = require('../core/primordials.js');
const { DataType, FFITypeTag } = require('./index.js');

// Loaded when there is an error.
const kindOf = (value) => require('../core/errors.js').kindOf(value);
const show = (value) => require('../core/errors.js').show(value);
const failure = (message) => require('./errors.js').failure(message);
const invalidType = (message) => require('./errors.js').invalidType(message);

// Loaded when a type needs them: most calls are of numbers, strings and Buffers.
const aggregates = () => require('../core/aggregates.js');
const functionCodec = (...args) => require('./functions.js').functionCodec(...args);
const getBytes = () => require('../core/results.js').getBytes;

/** How deep types may nest, and how many of them one signature may hold. */
const MAX_DEPTH = 64;
const MAX_TYPES = 10_000;

const number = (notation, view, size, View) => ({
  ...codecs.scalar({ notation, view, size, type: 'number', expected: 'Number' }),
  View,
});

const boolean = () =>
  codecs.scalar({
    notation: 'bool',
    view: 'u8',
    size: 1,
    type: 'boolean',
    expected: 'Boolean',
    encode: (value) => `+${value}`,
    decode: (raw) => `${raw} !== 0`,
  });

const bigint = () =>
  codecs.scalar({
    notation: 'i64',
    view: 'i64',
    size: 8,
    type: 'bigint',
    expected: 'BigInt',
  });

/** A BigInt field also takes numbers, as in ffi-rs, where it takes nothing else. */
const bigintMember = () => ({
  ...basicCodec(DataType.BigInt),
  take(g, value, where) {
    const kind = `typeof ${value}`;
    codecs.fail(g, `${kind} !== 'bigint' && ${kind} !== 'number'`, value, where, 'BigInt');
    const toBigInt = (n) =>
      typeof n === 'bigint' ? n : BigInt(Number.isFinite(n) ? Math.trunc(n) : 0);
    return g.local(`${g.constant(toBigInt)}(${value})`);
  },
});

const text = (name, unit) =>
  codecs.text({
    putter: `put${name}`,
    getter: `get${name}`,
    expected: 'String',
    unit,
    strict: true,
  });

const external = codecs.external({ expected: 'External' });

/** What makes the codecs of the basic types. A program uses few of them. */
const MAKERS = new Map([
  [DataType.String, () => text('String', 1)],
  [DataType.WString, () => text('WideString', native.wcharSize)],
  [DataType.U8, () => number('u8', 'u8', 1, Uint8Array)],
  [DataType.I16, () => number('i16', 'i16', 2, Int16Array)],
  [DataType.I32, () => number('i32', 'i32', 4, Int32Array)],
  [DataType.U32, () => number('u32', 'u32', 4, Uint32Array)],
  [DataType.Float, () => number('f32', 'f32', 4, Float32Array)],
  [DataType.Double, () => number('f64', 'f64', 8, Float64Array)],
  [DataType.I64, () => codecs.int64Number({ notation: 'i64', signed: true, expected: 'Number' })],
  [DataType.U64, () => codecs.int64Number({ notation: 'u64', signed: false, expected: 'Number' })],
  [DataType.BigInt, bigint],
  [DataType.Boolean, boolean],
  [DataType.External, () => external],
]);

/** The codecs that were made. */
const made = new Map();

/** The codec of a basic type; undefined when it is none. */
function basicCodec(type) {
  let codec = mapGet(made, type);
  if (codec === undefined) {
    codec = mapGet(MAKERS, type)?.();
    if (codec !== undefined) mapSet(made, type, codec);
  }
  return codec;
}

/** Element types of the arrays; U8Array, whose JavaScript value is a Buffer, and StructArray are apart. */
const ITEMS = new Map([
  [DataType.I16Array, DataType.I16],
  [DataType.I32Array, DataType.I32],
  [DataType.FloatArray, DataType.Float],
  [DataType.DoubleArray, DataType.Double],
  [DataType.StringArray, DataType.String],
]);

/** Whether a value has bytes of its own: what merely inherits from Uint8Array has none. */
const isBytes = (value) => isView(value) && value instanceof Uint8Array;

/** Bytes as an argument: C gets the live memory. */
const liveBytes = codecs.liveView({ expected: 'Buffer', accept: isBytes });

/** Bytes behind a pointer: they are copied. */
const pointedBytes = (length) => ({
  ...liveBytes,
  readsInPlace: true,
  owned: [[0, 2, length, []]],
  get: (g, ref) => g.local(`${g.constant(getBytes())}(${ref}, ${length})`),
});

/** A Void parameter: C gets a null pointer, whatever the value. */
const nullParameter = {
  ...codecs.POINTER,
  simple: true,
  take: () => undefined,
  put: (g, _token, ref) => g.emit(`putNull(${ref});`),
};

/** A Void field: no bytes. */
const nothingMember = { ...codecs.nothing, take: () => undefined, put: () => {} };

/** `{}`: a pointer that is not followed. An External is passed on, anything else is NULL. */
const opaque = {
  ...external,
  direct: undefined,
  put: (g, { value }, ref) => g.emit(`if (!putExternal(${value}, ${ref})) putNull(${ref});`),
  get: () => '{}',
};

/** Reads types for one signature. */
class Reader {
  /** @param {{ borrowsBytes?: boolean }} [options] whether bytes behind pointers are JavaScript's */
  constructor({ borrowsBytes = false } = {}) {
    this.borrowsBytes = borrowsBytes;
    this.depth = 0;
    this.count = 0;
  }

  codec(type, role) {
    if (++this.count > MAX_TYPES) throw invalidType('these types are too many');
    if (this.depth === MAX_DEPTH) throw invalidType('this type is nested too deeply');
    this.depth++;
    const codec = typeof type === 'number' ? this.basic(type, role) : this.described(type, role);
    this.depth--;
    return codec;
  }

  basic(type, role) {
    if (type === DataType.Void) {
      if (role === 'result') return codecs.nothing;
      return role === 'member' ? nothingMember : nullParameter;
    }
    if (type === DataType.BigInt && role === 'member') return bigintMember();
    const codec = basicCodec(type);
    if (codec !== undefined) return codec;
    const isArray = ITEMS.has(type) || type === DataType.U8Array || type === DataType.StructArray;
    if (!isArray) throw invalidType(`Invalid BasicDataType value: ${type}`);
    if (role !== 'parameter' || type === DataType.StructArray) throw needsDescriptor(type);
    return this.array({ type, length: 0 }, role);
  }

  described(type, role) {
    if (typeof type !== 'object' || type === null) throw notAType(type);
    switch (type.ffiTypeTag) {
      case FFITypeTag.Array:
      case FFITypeTag.StackArray:
        return this.array(type, role);
      case FFITypeTag.Function:
        return functionCodec(type, (inner, innerRole) => this.codec(inner, innerRole));
      case FFITypeTag.StackStruct:
        return this.record(type);
      default: {
        const isEmpty = fieldNames(type).length === 0;
        return isEmpty ? opaque : aggregates().pointerTo(this.record(type));
      }
    }
  }

  record(type) {
    const members = fieldNames(type).map((name) => ({
      name,
      codec: this.codec(type[name], 'member'),
    }));
    return aggregates().record(members);
  }

  array(type, role) {
    const length = role === 'parameter' ? (type.length ?? 0) : type.length;
    if (!Number.isInteger(length) || length < 0 || length > 0x3fffffff) {
      throw invalidType(`an array needs a length, got: ${show(length)}`);
    }
    const inline = role === 'member' && type.ffiTypeTag === FFITypeTag.StackArray;
    if (type.type === DataType.U8Array) {
      if (inline) return aggregates().inlineBytes(checkInline(length), isBytes);
      return { ...pointedBytes(length), ...(this.borrowsBytes && { owned: [] }) };
    }
    const item = this.item(type);
    if (inline) return aggregates().inlineArray(item, checkInline(length));
    return aggregates().pointerToArray(item, length, {
      padded: type.type === DataType.StructArray,
    });
  }

  /** The codec of an array's elements. */
  item({ type, structItemType }) {
    const basic = ITEMS.get(type);
    if (basic !== undefined) return basicCodec(basic);
    if (type !== DataType.StructArray) {
      throw invalidType(`arrayConstructor needs an array type, got: ${show(type)}`);
    }
    if (typeof structItemType !== 'object' || structItemType === null) {
      throw invalidType('a StructArray needs structItemType, a struct type');
    }
    return this.codec(structItemType, 'member');
  }
}

function checkInline(length) {
  if (length === 0) throw invalidType('an inline array needs a length of at least 1');
  return length;
}

/** Names of a struct type's fields, in JavaScript's order: own ones, then inherited ones. */
function fieldNames(type) {
  const names = [];
  for (const name in type) if (name !== 'ffiTypeTag') names.push(name);
  return names;
}

const nameOf = (type) => Object.keys(DataType).find((name) => DataType[name] === type) ?? type;

const needsDescriptor = (type) =>
  invalidType(
    `DataType.${nameOf(type)} has no length here: use arrayConstructor({ type, length }) instead`,
  );

const notAType = (type) => invalidType(`a type can only be number or object, got: ${kindOf(type)}`);

/**
 * What a value of a type owns when it is in a cell: made by createPointer (`ours`, whose Buffers
 * are borrowed) or by C.
 */
function ownedIn(type, ours) {
  if (type === DataType.StringArray || type === DataType.StructArray) throw needsDescriptor(type);
  return new Reader({ borrowsBytes: ours }).codec(type, 'parameter').owned ?? [];
}

const parameter = (type) => new Reader().codec(type, 'parameter');
const result = (type) => {
  // ffi-rs's own text, for a result that is no type.
  if (typeof type !== 'number' && (typeof type !== 'object' || type === null)) {
    throw failure(`ret_value_type can only be number or object but receive ${kindOf(type)}`);
  }
  return new Reader().codec(type, 'result');
};

module.exports = { ownedIn, parameter, result };
