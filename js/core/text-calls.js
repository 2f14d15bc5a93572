'use strict';
// Text that crosses with a call (src/node/text_call.rs): strings are arguments of the entry, which
// encodes them into scratch memory, and what C returns comes back as a string.
//
// A codec of text says that it can by `text`: { unit, strict, exact, read, finish }. `unit` is the
// size of a character in bytes. With `strict`, a lone surrogate is an error (and a NUL in wide text). With
// `exact`, its `take` lets nothing pass but strings and null. `read(ref)` is an
// expression of the text behind a cell. `finish(g, ref)`, if there is, emits what `get` does besides.
//
// When the native side cannot encode a string (no room, or an error that it leaves to JavaScript),
// it does not call C, and says so: a miss. The strings are then encoded here. A *quick* marshaller,
// which needs no scratch memory but for strings and therefore uses the fixed frame, leaves that to
// a general one of the same function, like arguments that stand for text and are no strings.

const { native } = require('./loader.js');
const {
  BASE_HIGH,
  BASE_LOW,
  END,
  FIXED,
  FRAME,
  PENDING,
  TOP,
  pointerSize,
  views,
} = require('./memory.js');
const { charCodeAt } = require('./primordials.js');

const { u32 } = views;

/** The most strings that cross with a call (src/node/text_call.rs). */
const MAX_STRINGS = 4;

const V8 = Number.parseInt(process.versions.v8, 10);

/**
 * ASCII of up to so many characters is written by JavaScript on Node-API's tier, where to pass a string
 * and to read it takes as long as that. V8 12 takes half as long again for a character; V8 14 encodes
 * slowly itself. From 13 characters on, `slice` gives strings whose characters are further away.
 */
const SHORT = V8 === 12 ? 8 : V8 < 14 ? 12 : 16;
/** After text that was not ASCII, so many are left to the native side: the next is likely to be like it. */
const UNTRIED = 63;
let untried = 0;
/** Bytes that such text may take, with its terminator. */
const SHORT_SIZE = 32;

/**
 * Writes short ASCII with its terminator at an offset of frame memory, and its address into a pointer
 * cell. By words: fewer stores to wait for when C reads. Too large for V8 to inline: marshallers have
 * room for themselves only where they are called.
 * @returns {number} the offset behind it, or -1 for other text
 */
function putAscii(text, top, cell) {
  if (untried > 0 || top > END - SHORT_SIZE) {
    untried--;
    return -1;
  }
  const at = (top + 3) & ~3;
  const { length } = text;
  let to = at >> 2;
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    const a = charCodeAt(text, i);
    const b = charCodeAt(text, i + 1);
    const c = charCodeAt(text, i + 2);
    const d = charCodeAt(text, i + 3);
    const e = charCodeAt(text, i + 4);
    const f = charCodeAt(text, i + 5);
    const g = charCodeAt(text, i + 6);
    const h = charCodeAt(text, i + 7);
    if ((a | b | c | d | e | f | g | h) >= 0x80) return notAscii();
    u32[to] = a | (b << 8) | (c << 16) | (d << 24);
    u32[to + 1] = e | (f << 8) | (g << 16) | (h << 24);
    to += 2;
  }
  if (i + 4 <= length) {
    const a = charCodeAt(text, i);
    const b = charCodeAt(text, i + 1);
    const c = charCodeAt(text, i + 2);
    const d = charCodeAt(text, i + 3);
    if ((a | b | c | d) >= 0x80) return notAscii();
    u32[to++] = a | (b << 8) | (c << 16) | (d << 24);
    i += 4;
  }
  let rest = 0;
  for (let shift = 0; i < length; i++, shift += 8) {
    const unit = charCodeAt(text, i);
    if (unit >= 0x80) return notAscii();
    rest |= unit << shift;
  }
  u32[to] = rest;
  // The cell of an argument is at a multiple of its size.
  u32[cell >> 2] = BASE_LOW + at;
  if (pointerSize === 8) u32[(cell >> 2) + 1] = BASE_HIGH;
  return (to + 1) * 4;
}

function notAscii() {
  untried = UNTRIED;
  return -1;
}

/**
 * Enters C with strings that stand in scratch memory from `top` to `end`, its frame being the fixed one.
 * A function of its own, though small enough for V8 to inline it where it is called: the marshaller,
 * which is, too, must have less than 460 bytes of bytecode.
 * @param {Function} enter returns what C returns, if that is text
 * @param {unknown} held is kept until then
 */
function enterAbove(top, end, enter, held) {
  u32[FRAME] = FIXED;
  u32[TOP] = end;
  let result;
  try {
    result = enter(held);
  } catch (error) {
    u32[TOP] = top;
    throw error;
  }
  // Strings of a call that is suspended are still in use.
  if (u32[PENDING] === 0) u32[TOP] = top;
  return result;
}

/**
 * Up to how many characters of text Node-API hands over quicker as UTF-16, even with what it takes to make
 * UTF-8 of it, if it is ASCII. V8 11 takes twice as long to encode as to copy; V8 14 encodes character by
 * character below 64 of them.
 */
const UNITS = V8 < 12 ? 2048 : V8 < 14 ? 0 : 63;

/** Tokens of shapes by their description. */
const shapes = new Map();

/** What crosses with the calls of a declaration. */
class CallText {
  /**
   * @param {number[]} strings indices of the parameters that cross as strings
   * @param {boolean} returns whether what C returns does
   * @param {number[]} description of all text, as `textShape` reads it, but for the frame
   */
  constructor(strings, returns, description) {
    this.strings = strings;
    this.returns = returns;
    this.description = description;
  }

  /** The token of the shape, for calls that use the fixed frame or another one. */
  shape(stacked, tier) {
    const units = tier.name === 'node-api' ? UNITS : 0;
    const description = [+stacked, units, ...this.description];
    const key = description.join();
    if (!shapes.has(key)) shapes.set(key, native.textShape(Uint32Array.from(description)));
    return shapes.get(key);
  }

  /**
   * @param {{ params: object[], ret: object }} declaration
   * @param {{ ret: number, args: number[] }} frame
   * @returns {CallText | undefined} undefined when no text crosses
   */
  static of({ params, ret }, frame) {
    const returns = ret.text !== undefined;
    let strings = params.flatMap(({ text }, i) => (text === undefined ? [] : [i]));
    if (strings.length > MAX_STRINGS) strings = [];
    if (!returns && strings.length === 0) return undefined;
    const description = [returns ? ret.text.unit : 0, returns ? frame.ret : 0];
    for (const i of strings) {
      const { unit, strict } = params[i].text;
      description.push(unit, frame.args[i], +strict);
    }
    return new CallText(strings, returns, description);
  }

  /** The same for a marshaller that encodes all strings itself. */
  encoded() {
    return new CallText([], this.returns, this.description);
  }

  /** Emits what makes a quick marshaller leave an argument to the general one. */
  emitChecks(g, params, emitLeave) {
    for (const i of this.strings) {
      if (params[i].text.exact) continue;
      const value = g.values[i];
      g.emit(`if (typeof ${value} !== 'string' && ${value} !== null) {`);
      emitLeave();
      g.emit('}');
    }
  }

  /** Emits the store of an argument that crosses if it is a string. */
  put(g, codec, { value, token, ref, quick }) {
    if (quick) {
      g.emit(`if (${value} === null) putNull(${ref});`);
      return;
    }
    g.emit(`if (typeof ${value} !== 'string') {`);
    codec.put(g, token, ref);
    g.emit('}');
  }

  /** Whether all strings are written as UTF-8. */
  isUtf8(params) {
    return this.strings.length > 0 && this.strings.every((i) => params[i].text.unit === 1);
  }

  /**
   * Emits what the native side must know of the strings, and with `top`, the store of short ASCII from
   * there on. Returns then the name of the offset behind all of it, which is negative when there is other
   * text, and what enters C with it.
   */
  emitLengths(g, params, refs, { quick, top }) {
    if (!this.strings.some((i) => params[i].text.unit === 1)) return undefined;
    // How many units all strings have together. A missing one counts as too long to be short.
    const lengths = this.strings.map((i) => {
      const value = g.values[i];
      // What is no string has left a quick marshaller.
      const isText = quick ? `${value} !== null` : `typeof ${value} === 'string'`;
      return g.local(`${isText} ? ${value}.length : ${SHORT + 1}`);
    });
    g.emit(`u32[ARG] = ${lengths.join(' + ')};`);
    if (top === undefined) return undefined;
    const end = g.fresh();
    const put = g.constant(putAscii);
    const isShort = lengths.map((length) => `${length} <= ${SHORT}`).join(' && ');
    this.strings.forEach((i, k) => {
      const made = (at) => `${put}(${g.values[i]}, ${at}, ${refs[i]})`;
      g.emit(
        k === 0
          ? `let ${end} = ${isShort} ? ${made(top)} : -1;`
          : `if (${end} >= 0) ${end} = ${made(end)};`,
      );
    });
    return { end, enter: enterAbove };
  }

  /** The arguments of the bound function. */
  arguments(g) {
    return this.strings.map((i) => g.values[i]);
  }

  /** An expression that tells whether the bound function's result is a miss. */
  missed(result) {
    return `${result} ${this.returns ? '===' : '!=='} undefined`;
  }
}

/**
 * Makes of `settle` (tier.js) what is called when a call with text has left something to be done.
 * `top` is where its strings begin, which stay until C has returned.
 */
const textSettler =
  (settle) =>
  (top, ...rest) => {
    try {
      settle(...rest);
    } finally {
      u32[TOP] = top;
    }
  };

module.exports = { CallText, textSettler };
