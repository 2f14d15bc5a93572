'use strict';
// From types to codecs, and the functions that are compiled of them: what writes a value to an
// offset of frame memory, and what reads it there. Each is made once per type.
//
// Writers come in two: for data that stays in frame memory, and for data that leaves it
// (js/core/recording.js).

const { Generator, Ref } = require('../../core/generator.js');
const { invalidType, mismatch } = require('../errors.js');
const { internals } = require('../types/model.js');

/** The code of a generated function, with what codecs expect of it. */
function begin(options) {
  const g = new Generator(options);
  g.mismatch = g.constant(mismatch);
  return g;
}

/** What `make` makes of a type, once. */
function memo(make) {
  const made = new WeakMap();
  return (type) => {
    let value = made.get(type);
    if (value === undefined) {
      value = make(type);
      made.set(type, value);
    }
    return value;
  };
}

function makeCodec(type) {
  const own = internals(type);
  const { kind } = own;
  switch (kind) {
    case 'void':
      return require('../../core/codecs.js').nothing;
    case 'bool':
      return require('./scalars.js').boolean(own);
    case 'int':
      return require('./scalars.js').integer(own);
    case 'float':
      return require('./scalars.js').float(own);
    case 'pointer':
    case 'string':
    case 'callback':
      return require('./pointers.js').pointer(own);
    case 'struct':
      return require('./records.js').struct(type, own);
    case 'union':
      return require('./unions.js').union(type, own);
    case 'array':
      return require('./arrays.js').array(type, own);
    default:
      throw invalidType(`Cannot convert value of type ${own.name}`);
  }
}

/** The codec of a type's values. */
exports.codecOf = memo(makeCodec);

/** The codec of a parameter: pointers have a direction. */
exports.parameterCodec = ({ type, reads, writes }) =>
  writes
    ? require('./pointers.js').pointer(internals(type), { reads, writes })
    : exports.codecOf(type);

function compileWriter(type, recording, align = internals(type).align) {
  const g = begin({ recording });
  const codec = exports.codecOf(type);
  const at = new Ref('at', 0, align);
  if (codec.emitWriter !== undefined) codec.emitWriter(g, at);
  else codec.put(g, codec.take(g, 'value', { path: '' }), at);
  return g.build('value, at, info');
}

const direct = memo((type) => compileWriter(type, false));
const recorded = memo((type) => compileWriter(type, true));

const directAnywhere = memo((type) => compileWriter(type, false, 1));
const recordedAnywhere = memo((type) => compileWriter(type, true, 1));

/** The function `(value, at, info)` that writes a value of a type to an aligned offset. */
exports.writerOf = (type, store) => (store.isRecording ? recorded : direct)(type);

/** The same for a part of a value, which in a packed record may lie anywhere. */
exports.writerAt = (type, store, at) => {
  if (at % internals(type).align === 0) return exports.writerOf(type, store);
  return (store.isRecording ? recordedAnywhere : directAnywhere)(type);
};

function compileReader(type, align = internals(type).align) {
  const g = begin();
  const codec = exports.codecOf(type);
  const get = codec.literal ?? codec.get;
  g.emit(`return ${get(g, new Ref('at', 0, align))};`);
  return g.build('at');
}

/** The function `(at)` that reads a value of a type at an aligned offset. */
exports.readerOf = memo((type) => compileReader(type));

const readerAnywhere = memo((type) => compileReader(type, 1));

/** The same for a part of a value, which in a packed record may lie anywhere. */
exports.readerAt = (type, at) =>
  (at % internals(type).align === 0 ? exports.readerOf : readerAnywhere)(type);

/** The function `(object, at)` that puts what is at an offset into an object. */
exports.assignerOf = memo((type) => {
  const own = internals(type);
  if (own.kind === 'union') return require('./unions.js').assign;
  const g = begin();
  require('./records.js').emitAssign(g, own, new Ref('at', 0, own.align));
  return g.build('object, at');
});

/** The head of a loop over elements from `at`. */
const loop = (size) => `for (let i = from, end = from + count, p = at; i < end; i++, p += ${size})`;

function compilePutAll(type, recording, align) {
  const own = internals(type);
  const g = begin({ recording });
  const codec = exports.codecOf(type);
  g.block(loop(own.size), () => {
    const element = g.local('array[i]');
    const place = new Ref('p', 0, align);
    if (codec.gaps !== undefined) require('../../core/gaps.js').clearRanges(g, place, codec.gaps);
    codec.put(g, codec.take(g, element, { path: '[]' }), place);
  });
  return g.build('array, at, from, count');
}

function compileGetAll(type, align) {
  const own = internals(type);
  const g = begin();
  const codec = exports.codecOf(type);
  g.block(loop(own.size), () => {
    g.emit(`array[i] = ${codec.get(g, new Ref('p', 0, align))};`);
  });
  return g.build('array, at, from, count');
}

/**
 * How elements of a type in a row are written and read.
 * @returns {{ size: number, hasPointers: boolean,
 *   putAll: (array: unknown[], at: number, from: number, count: number, info: object,
 *     store: object) => void,
 *   getAll: (array: unknown[], at: number, from: number, count: number) => void }}
 *   elements `from` and following of the array are at `at` and following
 */
exports.itemsOf = memo((type) => {
  const { size, align } = internals(type);
  // Elements of a packed or realigned member may lie anywhere.
  const byPlace = (compile) => {
    const made = [];
    return (at) => {
      const known = at % align === 0 ? align : 1;
      made[known] ??= compile(known);
      return made[known];
    };
  };
  const plain = byPlace((known) => compilePutAll(type, false, known));
  const recording = byPlace((known) => compilePutAll(type, true, known));
  const read = byPlace((known) => compileGetAll(type, known));
  return {
    size,
    hasPointers: exports.codecOf(type).hasPointers === true,
    putAll(array, at, from, count, _info, store) {
      (store.isRecording ? recording : plain)(at)(array, at, from, count);
    },
    getAll(array, at, from, count) {
      read(at)(array, at, from, count);
    },
  };
});
