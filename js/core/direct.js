'use strict';
// The direct tier: calls whose arguments V8 passes itself, in registers, to a thunk that calls C
// (src/plan/thunk.rs). Nothing is written to frame memory.
//
// A codec takes part when it has `direct`:
//
//   form            a letter: how a value travels (src/node/v8/direct.rs)
//   fits(value, g)  an expression: whether a value can travel so. What it is false for goes the
//                   packed way, which converts or refuses it
//   pass(value)     what is passed, when it is not the value itself
//   length(value)   an expression: the number of characters that are copied
//   result          null when a result does not travel in this form
//   back(g, raw)    an expression of the result, when it is not what V8 gives
//   settled         whether `after` has nothing to do for values that fit
//   mayCallBack     whether the value may be a function of C's, or lead to one
//   copy            memory for C, which the marshaller fills (copies.js)
//
// Results of other scalar types are read from the RESULT cell. The marshaller that is made here has
// the packed one of the same function behind it, made when it is first needed: what has no direct
// way always does the same as on the packed tier.

const { native } = require('./loader.js');
const { RESULT, MISSED, PENDING, ENTERED, END, views } = require('./memory.js');
const { Ref } = require('./generator.js');

const { u32 } = views;

/** C types whose values fit a register, and so the RESULT cell. */
const SCALARS = new Set('bool i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 ptr'.split(' '));

/** Characters of text that one call passes directly; for longer ones Node's encoder is faster. */
const MAX_TEXT = 4000;
/** Where TOP may be: text is copied once, and once more as UTF-8. */
const roomFor = (count) => END - 3 * MAX_TEXT - 16 * count;

/** Entries by signature and forms: `[shape, function]`, or why there is none. */
const entries = new Map();

function entryOf(signature, forms, errno) {
  const key = `${signature} ${forms} ${errno}`;
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = native.directEntry(signature, forms, errno);
    entries.set(key, entry);
  }
  return entry;
}

/** For calls without copies: nothing is emitted. */
const NO_COPIES = {
  writes: false,
  obstacle: () => undefined,
  conditions: () => [],
  take: () => {},
  put: () => {},
  passed: () => undefined,
  release: () => {},
};

/** The copies of a call; loaded when there is one with any. */
function copiesOf(params) {
  if (params.every(({ direct }) => direct?.copy === undefined)) return NO_COPIES;
  return new (require('./copies.js').Copies)(params);
}

/** The form of values that stand for memory. */
const VIEW = 'm';

/** Why a declaration cannot be called directly, as far as its codecs tell. */
function obstacle({ params, ret, freesResult }, copies) {
  const isBad = ({ direct, after }) => direct === undefined || (after && !direct.settled);
  const bad = params.findIndex(isBad);
  if (bad >= 0) return `argument ${bad + 1}, ${params[bad].notation}, needs memory`;
  if (freesResult && ret.owned?.length > 0) return 'the memory of the result is freed';
  const reads = ret.simple || ret.readsInPlace;
  if (ret.size > 0 && !(reads && SCALARS.has(ret.notation))) {
    return `the result, ${ret.notation}, needs memory`;
  }
  const needsMemory = copies.obstacle();
  if (needsMemory !== undefined) return needsMemory;
  const views = params.some(({ direct }) => direct.form === VIEW);
  return views ? require('./views.js').obstacle() : undefined;
}

/** The letter of a result. */
function resultForm({ direct, size }) {
  if (size === 0) return 'v';
  return direct === undefined || direct.result === null ? 'c' : direct.form;
}

/** What `stop` answers: go on, make the call the packed way, make the next ones so. */
const GO_ON = 0;
const AGAIN = 1;
const RELAY = 2;

/**
 * What is to be done when a call has left word in the PENDING cell, for what the call needed; throws
 * what it left to be thrown.
 */
function stop(..._held) {
  const pending = u32[PENDING];
  // The packed marshaller says so as well, and knows who is to hear of it.
  if (pending === MISSED || pending === native.closed) {
    u32[PENDING] = 0;
    return AGAIN;
  }
  // Loaded when the first call has left something to be done.
  const { CALLED_BACK } = require('./relay.js');
  if (pending !== CALLED_BACK) {
    native.rethrow();
    return GO_ON;
  }
  u32[PENDING] = 0;
  u32[ENTERED] = 0;
  // Callbacks of packed calls need not enter JavaScript (relay.js).
  return RELAY;
}

/**
 * What makes a packed marshaller for what goes no direct way: a function that takes the values that
 * were read, or the list that they are taken from.
 */
const packedLink =
  (link, { style, whenClosed }) =>
  (token) => {
    const run = link(token);
    const call = style === 'list' ? (...values) => run(values) : run;
    return whenClosed === undefined ? call : noting(call, whenClosed);
  };

/** The same as `call`, but gives the error of a closed library to `whenClosed`. */
const noting =
  (call, whenClosed) =>
  (...values) => {
    try {
      return call(...values);
    } catch (error) {
      if (error?.code !== 'ERR_FFI_LIBRARY_CLOSED') throw error;
      return whenClosed(error);
    }
  };

/**
 * Compiles the direct marshaller of a declaration.
 *
 * V8 inlines functions up to 460 bytes of bytecode, and 920 for all of a function, and keeps the
 * list of arguments from being allocated only when it does. So there is one way out to the packed
 * marshaller, and it is short.
 * @param {object} g a generator
 * @param {import('./compile.js').Declaration} declaration
 * @param {{ id: number }} frame
 * @param {import('./tier.js').Tier} tier
 * @param {(g: object, declaration: object) => string} emitArguments
 * @param {() => (token: number) => Function} packed gives the packed marshaller's link
 * @returns {{ shape: number, link: Function } | string} the reason why there is none
 */
function compileDirect(g, declaration, frame, tier, emitArguments, packed) {
  const copies = copiesOf(declaration.params);
  const reason = obstacle(declaration, copies);
  if (reason !== undefined) return reason;
  const { params, ret, style, withErrno } = declaration;
  const result = resultForm(ret);
  const forms = params.map(({ direct }) => direct.form).join('') + result;
  const made = entryOf(frame.id, forms, withErrno !== undefined);
  if (typeof made === 'string') return made;
  const [shape, enter] = made;

  // A call site that only ever sees one entry is what V8 makes a direct call of: every shape has a
  // source of its own.
  g.emit(`// ${frame.id} ${forms}`);
  const token = g.parameter();
  const parameters = emitArguments(g, declaration);
  const { values } = g;
  // What gets a pointer may call back, and does so more quickly from the packed tier (relay.js).
  const mayCallBack = params.some(({ direct }) => direct.mayCallBack);
  const conditions = conditionsOf(g, params, tier, mayCallBack, copies);
  const passed = params.map(
    ({ direct }, i) => copies.passed(i) ?? direct.pass?.(values[i]) ?? values[i],
  );
  const call = `${g.constant(enter)}(${[token, ...passed].join(', ')})`;
  const held = params.flatMap((codec, i) => (codec.held ? [values[i]] : []));
  g.block(conditions === '' ? 'direct:' : `direct: if (${conditions})`, () => {
    copies.take(g, values, tier.reentrant);
    copies.put(g);
    const raw = result === 'v' || result === 'c' ? undefined : g.local(call);
    if (raw === undefined) g.emit(`${call};`);
    copies.release(g);
    g.emit('if (u32[PENDING] !== 0) {');
    g.emit(`const answer = ${g.constant(stop)}(${held.join(', ')});`);
    g.emit(`if (answer === ${AGAIN}) break direct;`);
    if (mayCallBack) g.emit(`if (answer === ${RELAY}) callsBack = true;`);
    g.emit('}');
    let value = raw ?? ret.get(g, new Ref(null, RESULT, 8));
    if (raw !== undefined && ret.direct.back) value = ret.direct.back(g, raw);
    if (withErrno) value = withErrno(g.local(value), SAVED_ERRNO, g);
    if (copies.writes) {
      value = g.local(value);
      copies.finish(g, values);
    }
    g.emit(`return ${value};`);
  });
  const link = g.constant(packedLink(lazily(packed), declaration));
  const rest = style === 'places' ? 'list' : values.join(', ');
  g.emit(`return (packed ??= ${link}(${token}))(${rest});`);
  const positions = style === 'positions';
  // Not `let`: what a closure reads would be checked for being initialized.
  const state = `var packed${mayCallBack ? ', callsBack = false' : ''};`;
  return {
    shape,
    link: g.template(parameters, { usesArguments: positions, named: positions, state }),
  };
}

/** Where the errno of a direct call is, as an expression. */
const SAVED_ERRNO = 'i32[ERRNO]';

/** What must hold for a call to go directly, as an expression; empty when it always may. */
function conditionsOf(g, params, tier, mayCallBack, copies) {
  const { values } = g;
  const conditions = params.map(({ direct }, i) => direct.fits(values[i], g));
  const lengths = params.flatMap(({ direct }, i) => direct.length?.(values[i]) ?? []);
  if (lengths.length > 0) {
    conditions.push(`${lengths.join(' + ')} <= ${MAX_TEXT}`);
    conditions.push(`u32[TOP] <= ${roomFor(lengths.length)}`);
  }
  if (!tier.reentrant) conditions.push('u32[LIVE] === 0');
  if (mayCallBack) conditions.push('!callsBack');
  conditions.push(...copies.conditions());
  return conditions.filter((condition) => condition !== 'true').join(' && ');
}

/** A link that is made when it is first used. */
function lazily(make) {
  let link;
  return (token) => {
    link ??= make();
    return link(token);
  };
}

/** How a number travels that typed-array stores of this view convert. */
const numberForms = {
  i8: 'i',
  u8: 'i',
  i16: 'i',
  u16: 'i',
  i32: 'i',
  u32: 'u',
  f32: 'f',
  f64: 'd',
};

const isA = (type) => (value) => `typeof ${value} === '${type}'`;

/** `direct` of a number that typed-array stores convert. */
const numberDirect = (view) => ({ form: numberForms[view], fits: isA('number') });

/** `direct` of a boolean. */
const booleanDirect = { form: 'b', fits: isA('boolean') };

/** `direct` of a bigint of 64 bits. */
const bigintDirect = (signed) => ({ form: signed ? 'l' : 'L', fits: isA('bigint') });

/** Numbers that truncation takes to 64 bits with a sign: the others saturate. */
const isIn64 = (v) =>
  `typeof ${v} === 'number' && ${v} >= -9223372036854775808 && ${v} < 9223372036854775808`;

/** `direct` of a 64-bit integer as a number. */
const int64Direct = { form: 'n', fits: isIn64 };

/** `direct` of text as UTF-8. */
const textDirect = {
  form: 's',
  fits: isA('string'),
  length: (value) => `${value}.length`,
  result: null,
};

/** `direct` of an External, or null. As a result it is Node-API that makes one. */
const externalDirect = { form: 'p', fits: isA('object'), result: null, mayCallBack: true };

/** `direct` of the live memory of views that `accept` is true for. */
const viewDirect = (accept) => ({
  form: VIEW,
  fits: (value, g) => `${g.constant(accept)}(${value})`,
  result: null,
});

/** `direct` of views, addresses and null. */
const memoryDirect = (mayCallBack) => ({
  form: VIEW,
  fits: (v) => `(isView(${v}) || ${v} === null || ${v} === undefined || typeof ${v} === 'bigint')`,
  pass: (value) => `${value} ?? 0`,
  result: null,
  settled: true,
  mayCallBack,
});

module.exports = {
  SAVED_ERRNO,
  bigintDirect,
  booleanDirect,
  compileDirect,
  externalDirect,
  int64Direct,
  memoryDirect,
  numberDirect,
  textDirect,
  viewDirect,
};
