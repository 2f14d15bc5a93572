'use strict';
// Variadic functions: pairs of a type and a value follow the fixed arguments. The lists of types
// that a function was called with are remembered, as a tree.

const { compileCall } = require('../core/compile.js');
const { invalid, invalidType, failure } = require('./errors.js');
const { bindAs, describe } = require('./functions.js');
const { internals } = require('./types/model.js');
const { checkParameter, parameterOf } = require('./types/prototypes.js');
const { generation } = require('./types/names.js');
const codecs = require('./values/codecs.js');
const { promoted } = require('./values/scalars.js');

/** How many lists of variadic types are remembered for a function. */
const MAX_TAILS = 1000;
const MAX_PARAMETERS = 64;

/** Lists of types that start alike: type strings mean something else after each `reset`. */
const node = () => ({ next: new Map(), run: undefined, generation: generation() });

/** The compiled call of a list of types behind the fixed parameters. */
function compileTail(signature, specifiers) {
  const fixed = signature.params.length;
  if (fixed + specifiers.length > MAX_PARAMETERS) {
    throw invalid(`Functions cannot have more than ${MAX_PARAMETERS} parameters`);
  }
  const params = specifiers.map((specifier, i) => {
    const param = parameterOf(specifier);
    checkParameter(param, invalidType, fixed + 2 * i);
    return param;
  });
  const list = [
    ...signature.params.map(codecs.parameterCodec),
    ...params.map((param) => promoted(internals(param.type)) ?? codecs.parameterCodec(param)),
  ];
  const places = list.map((_, i) => (i < fixed ? i : 2 * i - fixed + 1));
  return compileCall(describe(signature, { params: list, fixed, style: 'places', places }));
}

/** A variadic function. */
function makeVariadic(signature, callee, name) {
  const fixed = signature.params.length;
  let root = node();
  let tails = 0;

  function find(args) {
    if (root.generation !== generation() || tails > MAX_TAILS) {
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
    at.run ??= bindAs(
      compileTail(
        signature,
        args.slice(fixed).filter((_, i) => i % 2 === 0),
      ),
      callee,
      name,
    );
    return at.run;
  }

  const call = (...args) => {
    if (args.length < fixed) {
      throw invalid(`Expected ${fixed} arguments or more, got ${args.length}`, {
        expected: fixed,
        received: args.length,
      });
    }
    if ((args.length - fixed) % 2 !== 0) {
      throw failure('Missing value argument for variadic call', { argument: args.length });
    }
    return find(args)(args);
  };
  return Object.defineProperty(call, 'name', { value: name, configurable: true });
}

module.exports = { makeVariadic };
