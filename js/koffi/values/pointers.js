'use strict';
// Codecs of pointers, strings and callbacks.
//
// NULL, addresses and strings are written by the marshaller itself. Everything else that can
// stand for a pointer (views, arrays, objects, functions, casts) goes through a passer: a function
// of the pointer's type that copies what is needed to scratch memory, and returns what is to be
// done after the call, if anything.

const { types } = require('node:util');
const { POINTER } = require('../../core/codecs.js');
const { copyDirect } = require('../../core/copies.js');
const { memoryDirect, textDirect } = require('../../core/direct.js');
const { coded } = require('../../core/errors.js');
const { native } = require('../../core/loader.js');
const { views, putNull, putPointer, putView, overflow } = require('../../core/memory.js');
const { isArray } = require('../../core/primordials.js');
const { isForMemory } = require('../../core/recording.js');
const routines = require('../../core/routines.js');
const { encodeText } = require('../../core/text.js');
const callbacks = require('../callbacks.js');
const { failure, invalid, mismatch } = require('../errors.js');
const { internals } = require('../types/model.js');
const { bytesOf, swapUnits } = require('./bytes.js');
const { ArrayBack, LargeBack, ObjectBack, SwappedBack, TextBack } = require('./back.js');
const { Cast } = require('./cast.js');
const codecs = require('./codecs.js');
const { plainCondition } = require('./plain.js');
const { emitAssign, emitProperties, isSimple, readMembers } = require('./records.js');
const { isUnion } = require('./unions.js');

const { u8 } = views;

const IN = { reads: true, writes: false };

/** An address from a number. */
const toAddress = (value) => {
  const whole = Math.trunc(value);
  return Number.isFinite(whole) ? BigInt.asUintN(64, BigInt(whole)) : 0n;
};

/** Whether memory of this type may be given as text. */
const holdsText = ({ kind, size }) => kind === 'void' || (kind === 'int' && size <= 4);

const isView = (value) => ArrayBuffer.isView(value) || types.isArrayBuffer(value);

/**
 * The passer of a pointer type and direction.
 * @returns {(value: unknown, cell: number, info: object, store: object) => object | undefined}
 */
function makePasser(own, { reads, writes }) {
  const pointee = internals(own.ref);

  function pass(value, cell, info, store) {
    switch (typeof value) {
      case 'string':
        return passText(value, cell, info, store);
      case 'bigint':
        putPointer(cell, value);
        return undefined;
      case 'number':
        putPointer(cell, toAddress(value));
        return undefined;
      case 'undefined':
        putNull(cell);
        return undefined;
      case 'function':
        return passFunction(value, cell, info, store);
      case 'object':
        if (value === null) {
          putNull(cell);
          return undefined;
        }
        if (own.kind === 'callback') break;
        if (isArray(value)) return passArray(value, cell, info, store);
        if (isView(value)) {
          if (pointee.swapped) return passSwapped(value, cell, store);
          putView(value, cell);
          // The memory of an argument itself stays: the marshaller holds on to it.
          if (info.argument === undefined || info.path !== '') store.keep(value);
          return undefined;
        }
        break;
    }
    const cast = Cast.read(value);
    if (cast !== undefined) {
      return passerOf(cast.own, { reads, writes })(cast.value, cell, info, store);
    }
    if (typeof value !== 'object' || own.kind === 'callback') throw mismatch(info, value);
    return passObject(value, cell, info, store);
  }

  function passText(value, cell, info, store) {
    if (!holdsText(pointee)) throw mismatch(info, value);
    if (writes) throw mismatch({ ...info, expected: '[string]' }, value);
    const unit = pointee.kind === 'void' ? 1 : pointee.size;
    if (unit === 1) store.putText8(value, cell);
    else if (unit === 2) store.putText16(value, cell);
    else store.putText32(value, cell);
    return undefined;
  }

  function passFunction(value, cell, info, store) {
    if (own.kind === 'callback') {
      if (store.isRecording && isForMemory()) {
        throw failure('Cannot encode non-registered callback');
      }
      putPointer(cell, callbacks.acquire(own.proto, value));
      return undefined;
    }
    if (pointee.kind === 'void') throw invalid(`Cannot pass function to type ${own.name}`);
    throw mismatch(info, value);
  }

  function passArray(value, cell, info, store) {
    if (value.length > 0 && typeof value[0] === 'string' && holdsText(pointee)) {
      if (value.length === 1) return passBuffer(value, cell, store);
    }
    if (pointee.size === 0) {
      if (pointee.kind !== 'void') throw mismatch(info, value);
      throw invalid(`Cannot pass ambiguous value to ${own.name}, use koffi.as()`);
    }
    return passItems(value, cell, info, store);
  }

  /** `[string]`: a buffer as long as the text, which C may overwrite. */
  function passBuffer(value, cell, store) {
    const unit = pointee.kind === 'void' ? 1 : pointee.size;
    const bytes = encodeText(value[0], unit);
    const size = bytes.length + unit;
    const at = store.scratch(size);
    const target = at < 0 ? store.spill(size, cell) : u8.subarray(at, at + size);
    target.set(bytes);
    target.fill(0, bytes.length);
    if (at >= 0) store.putAddress(cell, at);
    return writes ? new TextBack(value, size, unit, at) : undefined;
  }

  /** The memory of a view as numbers in the other byte order: C gets a copy. */
  function passSwapped(value, cell, store) {
    const bytes = bytesOf(value);
    const size = bytes.length;
    const at = store.scratch(size);
    const target = at < 0 ? store.spill(size, cell) : u8.subarray(at, at + size);
    target.set(bytes);
    if (reads) swapUnits(target, pointee.size);
    if (at >= 0) store.putAddress(cell, at);
    return writes ? new SwappedBack(value, pointee.size) : undefined;
  }

  /** Memory for as many elements as an array has. */
  function passItems(value, cell, info, store) {
    const items = codecs.itemsOf(own.ref);
    const { length } = value;
    const size = length * items.size;
    const at = store.scratch(size);
    if (at < 0) spillItems(value, items, cell, info, store);
    else {
      store.putAddress(cell, at);
      if (reads) items.putAll(value, at, 0, length, info, store);
      else u8.fill(0, at, at + size);
    }
    return writes ? new ArrayBack(value, items, length, at) : undefined;
  }

  /** The same outside frame memory, written element by element. */
  function spillItems(value, items, cell, info, store) {
    const buffer = store.spill(value.length * items.size, cell);
    if (!reads) return;
    if (store.isRecording && items.hasPointers) throw overflow();
    const room = store.scratch(items.size);
    if (room < 0) throw overflow();
    for (let i = 0; i < value.length; i++) {
      items.putAll(value, room, i, 1, info, store);
      buffer.set(u8.subarray(room, room + items.size), i * items.size);
    }
  }

  function passObject(value, cell, info, store) {
    const { kind, size } = pointee;
    const union = isUnion(value);
    const fits = kind === 'struct' ? !union && isStructLike(value) : kind === 'union';
    if (!fits) throw mismatch(info, value);
    if (kind === 'union' && writes && !union) {
      throw mismatch({ ...info, expected: 'union value' }, value);
    }
    const at = store.scratch(size);
    if (at < 0) return passLarge(value, cell, info, store);
    store.putAddress(cell, at);
    if (reads) codecs.writerOf(own.ref, store)(value, at, info);
    else u8.fill(0, at, at + size);
    if (!writes) return undefined;
    return new ObjectBack(value, size, codecs.assignerOf(own.ref), at);
  }

  /** A struct or union outside frame memory, for which it is too large. */
  function passLarge(value, cell, info, store) {
    if (codecs.codecOf(own.ref).hasPointers) throw tooLarge(pointee);
    const buffer = store.spill(pointee.size, cell);
    if (reads) require('../writing.js').writeAt(buffer, 0, own.ref, value, info);
    return writes ? new LargeBack(value, own.ref) : undefined;
  }

  return pass;
}

/** The error of a value that is too large for frame memory, and cannot be had in parts. */
const tooLarge = ({ name, size }) =>
  coded(
    RangeError,
    'ERR_FFI_OUT_OF_MEMORY',
    `A value of type ${name} (${size} bytes) with pointers in it is too large to be passed`,
  );

/** Objects that can be read as a struct: not those that stand for something else. */
const isStructLike = (value) =>
  !isView(value) && !types.isSharedArrayBuffer(value) && !types.isExternal(value);

/** Passers by the internals of their types and direction. */
const passers = new WeakMap();

function passerOf(own, direction) {
  const key = (direction.reads ? 1 : 0) + (direction.writes ? 2 : 0);
  let made = passers.get(own);
  if (made === undefined) {
    made = [];
    passers.set(own, made);
  }
  made[key] ??= makePasser(own, direction);
  return made[key];
}

/** Names of the generated code's functions by the size of a unit. */
const PUT = { 1: 'putText8', 2: 'putText16', 4: 'putText32' };
const GET = { 1: 'getText8', 2: 'getText16', 4: 'getText32' };

/** Gives the pointer in a constant to a disposer. */
function disposer({ func }) {
  return (address) => {
    callbacks.disposed();
    if (func === undefined) routines.release(address ?? 0n);
    else func(address);
  };
}

/** Emits the disposal of what a pointer cell points to. */
function dispose(g, own, ref) {
  g.emit(`${g.constant(disposer(own.dispose))}(${g.local(address(g, ref))});`);
}

const readText = (own, ref) => `${GET[own.unit]}(${ref})`;

/** How a string crosses with a call. */
const crossing = (own) => ({
  unit: own.unit,
  strict: false,
  exact: false,
  read: (ref) => readText(own, ref),
  finish: own.dispose && ((g, ref) => dispose(g, own, ref)),
});

/** What functions mostly get views or addresses for, and not objects. */
const PLAIN_MEMORY = new Set(['void', 'opaque', 'bool', 'int', 'float']);

/** How a parameter travels without memory. */
function directOf(own, direction) {
  if (own.kind === 'string') return own.unit === 1 && !direction.writes ? textDirect : undefined;
  if (own.kind !== 'pointer') return undefined;
  const pointee = internals(own.ref);
  const { kind, swapped } = pointee;
  if (kind === 'struct' && isSimple(pointee)) return structDirect(own.ref, pointee, direction);
  if (!PLAIN_MEMORY.has(kind) || swapped) return undefined;
  return memoryDirect(kind === 'void');
}

/** The same for a pointer to a struct of scalars. Its codec is made when there is a call: types may be circular. */
const structDirect = (type, own, { reads, writes }) =>
  copyDirect({
    fits: (value, g) => plainCondition(g, value),
    size: own.size,
    take: (g, value, where) => codecs.codecOf(type).takePlain(g, value, where, reads),
    put: (g, tokens, place) => codecs.codecOf(type).putPlain(g, tokens, place),
    read: writes ? (g, place) => readMembers(g, own, place) : undefined,
    after: writes ? emitProperties : undefined,
  });

/**
 * The codec of a pointer, string or callback type.
 * @param {object} own internals
 * @param {{ reads: boolean, writes: boolean }} [direction] of a parameter
 */
function pointer(own, direction = IN) {
  const isText = own.kind === 'string';
  const { writes } = direction;
  const base = {
    ...POINTER,
    text: isText && !writes ? crossing(own) : undefined,
    simple: false,
    readsInPlace: own.dispose === undefined,
    spills: true,
    held: true,
    transient: true,
    hasPointers: true,
    direct: directOf(own, direction),
    zero: 'null',
    take: (_g, value, where) => ({ value, where }),
    hold: (_g, { value }, held) => held.push(value),
    put(g, token, ref) {
      const { value, where } = token;
      const pass = passerOf(own, direction);
      const info = g.constant({ ...where, expected: own.name });
      let call = `${g.constant(pass)}(${value}, ${ref}, ${info}, store);`;
      if (writes) {
        token.back = g.fresh('back');
        g.emit(`let ${token.back};`);
        call = `${token.back} = ${call}`;
      }
      if (isText && !writes) {
        g.emit(`if (typeof ${value} === 'string') ${PUT[own.unit]}(${value}, ${ref});`, 'else');
      }
      emitStruct(g, own.ref, direction, token, ref);
      g.emit(`if (${value} === null || ${value} === undefined) putNull(${ref});`);
      g.emit(`else if (typeof ${value} === 'bigint') {`);
      if (native.pointerSize === 8) g.write('u64', ref, value);
      else g.emit(`putPointer(${ref}, ${value});`);
      g.emit('}', `else ${call}`);
    },
    get(g, ref) {
      const value = g.local(isText ? readText(own, ref) : address(g, ref));
      if (own.dispose !== undefined) dispose(g, own, ref);
      return value;
    },
  };
  if (!writes) return base;
  return {
    ...base,
    later: ({ back }) => back,
    after(g, token, ref, moved = false) {
      const back = moved ? token : token.back;
      if (token.plain !== undefined) {
        g.block(`if (${token.plain} >= 0)`, () => {
          emitAssign(g, internals(own.ref), new g.Ref(token.plain, 0, 8), token.value);
        });
        g.emit('else');
      }
      g.emit(`if (${back} !== undefined) ${back}.finish(${ref}, ${moved});`);
    },
  };
}

/**
 * Emits the copy of a plain object for a pointer to a struct without pointers, in the marshaller
 * itself. Objects of other classes may stand for something else. What C writes is read back from where
 * `token.plain` says, if that is not negative.
 */
function emitStruct(g, type, { reads, writes }, token, ref) {
  // A call on another thread reads back when it has ended.
  if (internals(type).kind !== 'struct' || (writes && g.recording)) return;
  const codec = codecs.codecOf(type);
  if (!codec.simple) return;
  const { value, where } = token;
  if (writes) {
    token.plain = g.fresh('plain');
    g.emit(`let ${token.plain} = -1;`);
  }
  g.block(`if (${plainCondition(g, value)})`, () => {
    const at = g.local(`scratch(${codec.size})`);
    g.emit(`if (${at} < 0) throw overflow();`);
    g.emit(`putAddress(${ref}, ${at});`);
    codec.putPlain(g, codec.takePlain(g, value, where, reads), new g.Ref(at, 0, 8));
    if (writes) g.emit(`${token.plain} = ${at};`);
  });
  g.emit('else');
}

/** An expression of the address in a pointer cell: a bigint, or null for NULL. */
function address(g, ref) {
  const wide = native.pointerSize === 8;
  const value = g.local(wide ? g.read('u64', ref) : `getPointer(${ref})`);
  return `${value} === 0n ? null : ${value}`;
}

module.exports = { passerOf, pointer, toAddress };
