'use strict';
// Answers as text, the same for the published Koffi and for ours.

const { inspect } = require('node:util');

const anonymous = (text) => text.replace(/<anonymous_[0-9]+>/g, '<anonymous>');

/** All that a type object shows. */
function describeType(type) {
  const { name, primitive, size, alignment, disposable } = type;
  const parts = [name, primitive, size, alignment, `keys(${Object.keys(type)})`];
  if (disposable) parts.push('disposable');
  if (type.length !== undefined) parts.push(`length(${type.length})`, `hint(${type.hint})`);
  if (type.ref !== undefined) parts.push(`ref(${type.ref.name})`);
  if (type.members !== undefined) {
    const members = Object.entries(type.members);
    parts.push(`members(${members.map(([key, m]) => `${key} ${m.type.name} ${m.offset}`)})`);
  }
  if (type.proto !== undefined) {
    const { name: of, arguments: list, result } = type.proto;
    const params = list.map((param) => `${param.direction} ${param.type.name}`).join(', ');
    parts.push(`${result.name} ${of}(${params})`);
  }
  if (type.values !== undefined) parts.push(`values(${inspect(type.values)})`);
  return parts.join(' ');
}

/** An answer, or the error instead of it. */
function describe(k, question) {
  const one = (value) => {
    if (value instanceof k.TypeObject) return describeType(value);
    if (Array.isArray(value)) return `[${value.map(one).join(', ')}]`;
    return inspect(value);
  };
  try {
    return anonymous(one(question(k)));
  } catch (error) {
    return anonymous(`${error.name}: ${error.message}`);
  }
}

module.exports = { describe };
