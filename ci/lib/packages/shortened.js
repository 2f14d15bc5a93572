'use strict';
// Sources without what only people need: comments, indentation, long names of variables. V8 reads all
// of a module when it is loaded, and half of each of ours is that (docs/decisions/0025). Functions,
// classes and properties keep their names, and statements a line each, so that stack traces and what
// a program sees of ours (`name`, `util.inspect`) stay what they are.

/** Nodes of a syntax tree, in any order. */
function* nodesOf(node) {
  if (Array.isArray(node)) {
    for (const one of node) yield* nodesOf(one);
  } else if (typeof node?.type === 'string') {
    yield node;
    for (const value of Object.values(node)) yield* nodesOf(value);
  }
}

const isNamed = (value) => /Function|^Class/.test(value?.type ?? '');

/** Names that functions and classes have, or get from what they are assigned to. */
function visibleNames(program) {
  const names = new Set();
  for (const node of nodesOf(program)) {
    if (isNamed(node) && node.id) names.add(node.id.name);
    const [target, value] = {
      VariableDeclarator: [node.id, node.init],
      AssignmentExpression: [node.left, node.right],
      AssignmentPattern: [node.left, node.right],
    }[node.type] ?? [undefined, undefined];
    if (isNamed(value) && target.type === 'Identifier') names.add(target.name);
  }
  return names;
}

/**
 * A CommonJS module that does the same.
 *
 * @param {string} source
 * @returns {string}
 */
function shortened(source) {
  // They are dev dependencies, which not everything that loads this module needs.
  const acorn = require('acorn');
  const { minify_sync: minify } = require('terser');
  const program = acorn.parse(source, { ecmaVersion: 'latest', allowReturnOutsideFunction: true });
  const { code } = minify(source, {
    compress: false,
    mangle: { toplevel: true, reserved: [...visibleNames(program)] },
    // Single quotes are what joined.js looks for.
    format: { comments: false, semicolons: false, quote_style: 1 },
    parse: { bare_returns: true },
  });
  return `${code.trimEnd()}\n`;
}

module.exports = { shortened };
