'use strict';
// C functions as JavaScript functions: plain, variadic, asynchronous.

const { AsyncResource } = require('node:async_hooks');
const { bind } = require('../core/tier.js');
const { compileCall, compileTask } = require('../core/compile.js');
const { views, ERRNO } = require('../core/memory.js');
const { launchTask } = require('../core/tasks.js');
const { taskEnded } = require('./callbacks.js');
const { failure, invalid, kindName, mismatch, wrongCount } = require('./errors.js');
const { internals } = require('./types/model.js');
const { checkParameter, parameterOf } = require('./types/prototypes.js');
const codecs = require('./values/codecs.js');
const { promoted } = require('./values/scalars.js');

const { i32 } = views;

/** How many lists of variadic types are remembered for a function. */
const MAX_TAILS = 1000;
const MAX_PARAMETERS = 64;

/** The error of too few arguments. */
function arity(count, values) {
  throw wrongCount(String(count), values.length);
}

/** Saves errno, and counts the call. */
function withErrno(value, errno, g) {
  g.emit(`i32[ERRNO] = ${errno};`, 'u32[EPOCH]++;');
  return value;
}

/** What the core needs to know to compile calls of a declaration. */
const describe = ({ params, result, convention }, extra) => ({
  params: params.map(codecs.parameterCodec),
  ret: codecs.codecOf(result),
  convention: convention === 'cdecl' ? undefined : convention,
  style: 'positions',
  mismatch,
  arity,
  withErrno,
  ...extra,
});

/** Compiles a call once, for any number of functions of one type. */
function compile(declaration, extra) {
  const compiled = compileCall(describe(declaration, extra));
  return ({ address, library }, name) => bind(compiled, { address, library, name });
}

/** Functions get the properties that programs know. */
function dress(fn, name, properties) {
  Object.defineProperty(fn, 'name', { value: name, configurable: true });
  Object.defineProperty(fn, 'length', { value: 0, configurable: true });
  return Object.assign(fn, properties);
}

/** The callback of the asynchronous call that is being started. */
let starting;

/** Starts a call; its callback hears of the result in the context it was given in. */
function launch(task, values, mark, later) {
  const callback = starting;
  const context = new AsyncResource('koffi');
  const deliver = (error, value) => {
    const errno = i32[ERRNO];
    taskEnded();
    queueMicrotask(() => {
      i32[ERRNO] = errno;
      context.runInAsyncScope(callback, undefined, error, value);
    });
  };
  const settle = { resolve: (value) => deliver(null, value), reject: (error) => deliver(error) };
  launchTask(task, values, mark, later, settle);
}

/** The `async` form of a function. Errors of arguments go to the callback at once. */
function makeAsync(declaration, callee) {
  const count = declaration.params.length;
  let start;
  return (...args) => {
    if (args.length <= count) throw wrongCount(String(count + 1), args.length);
    const callback = args[count];
    if (typeof callback !== 'function') {
      throw invalid(`Expected callback function as last argument, got ${kindName(callback)}`);
    }
    start ??= compileTask(describe(declaration, { startTask: launch }), callee);
    const outer = starting;
    starting = callback;
    let failed;
    try {
      start(...args);
    } catch (error) {
      if (error?.code === 'ERR_FFI_LIBRARY_CLOSED') throw error;
      failed = { error };
    } finally {
      starting = outer;
    }
    if (failed !== undefined) callback(failed.error);
  };
}

/** Reads the pairs of a type and a value behind the fixed arguments. */
function makeVariadic(declaration, callee, name) {
  const fixed = declaration.params.length;
  let root = node();
  let tails = 0;

  /** The compiled call of a list of types. */
  function compileTail(specifiers) {
    if (fixed + specifiers.length > MAX_PARAMETERS) {
      throw invalid(`Functions cannot have more than ${MAX_PARAMETERS} parameters`);
    }
    const params = specifiers.map((specifier) => {
      const param = parameterOf(specifier);
      checkParameter(param, TypeError);
      return param;
    });
    const list = [
      ...declaration.params.map(codecs.parameterCodec),
      ...params.map((param) => promoted(internals(param.type)) ?? codecs.parameterCodec(param)),
    ];
    const places = list.map((_, i) => (i < fixed ? i : 2 * i - fixed + 1));
    return compile(declaration, { params: list, fixed, style: 'places', places })(callee, name);
  }

  function find(args) {
    if (root.generation !== generation || tails > MAX_TAILS) {
      root = node();
      tails = 0;
    }
    let at = root;
    for (let i = fixed; i < args.length; i += 2) {
      let next = at.next.get(args[i]);
      if (next === undefined) {
        next = node();
        at.next.set(args[i], next);
        tails++;
      }
      at = next;
    }
    at.run ??= compileTail(args.slice(fixed).filter((_, i) => i % 2 === 0));
    return at.run;
  }

  return (...args) => {
    if (args.length < fixed) {
      throw invalid(`Expected ${fixed} arguments or more, got ${args.length}`);
    }
    if ((args.length - fixed) % 2 !== 0) {
      throw failure('Missing value argument for variadic call');
    }
    return find(args)(args);
  };
}

/** Counts `reset`s: type strings mean something else after each. */
let generation = 0;

const node = () => ({ next: new Map(), run: undefined, generation });

const forgetTypes = () => {
  generation++;
};

/**
 * The JavaScript function of a C function.
 * @param {import('./types/model.js').Declaration} declaration
 * @param {{ address: bigint, library: number }} callee `library` is -1 when nobody knows
 */
function makeFunction(declaration, callee) {
  const { name, variadic, info } = declaration;
  const label = String(name);
  if (variadic) return dress(makeVariadic(declaration, callee, label), label, { info });
  const fn = compile(declaration)(callee, label);
  return dress(fn, label, { info, async: makeAsync(declaration, callee) });
}

/** Functions at addresses, by their type: at most so many for each. */
const MAX_ADDRESSES = 256;
const byType = new WeakMap();

/** The function of a type at an address; made once. */
function functionAt(declaration, address) {
  let known = byType.get(declaration);
  if (known === undefined) {
    known = new Map();
    byType.set(declaration, known);
  }
  let fn = known.get(address);
  if (fn === undefined) {
    fn = makeFunction(declaration, { address, library: -1 });
    if (known.size >= MAX_ADDRESSES) known.clear();
    known.set(address, fn);
  }
  return fn;
}

module.exports = { describe, forgetTypes, functionAt, makeFunction };
