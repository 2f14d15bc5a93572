'use strict';
// What a Koffi type is: a frozen public object, and what the rest of the dialect knows about it.
//
// The public part is a TypeObject, whose own keys programs look at. The other part, its
// internals, is reached with `internals(type)` and says everything that marshalling needs. The
// same type is always the same TypeObject: types are compared with `===`.
//
// An opaque type may get its members later. That happens in place (`complete`), so everything
// that was made of it before, a pointer or a prototype, sees its layout.

const { invalidType, malformed } = require('../errors.js');
const { native } = require('../../core/loader.js');

/**
 * What a type is, for marshalling.
 * @typedef {'void' | 'opaque' | 'bool' | 'int' | 'float' | 'string' | 'pointer' | 'callback'
 *   | 'prototype' | 'struct' | 'union' | 'array'} Kind
 */

/**
 * A member of a struct or union. Padding, which programs do not see, is named `_`.
 * @typedef {object} Member
 * @property {string} name
 * @property {TypeObject} type
 * @property {number} offset in bytes
 * @property {number | undefined} align the alignment it was declared with
 * @property {boolean} padding
 */

/**
 * A function type.
 * @typedef {object} Declaration
 * @property {string} name
 * @property {object} signature the same without a name, shared by all that are equal
 * @property {'cdecl' | 'stdcall' | 'fastcall' | 'thiscall'} convention
 * @property {TypeObject} result
 * @property {Parameter[]} params the fixed ones
 * @property {boolean} variadic
 * @property {object} info the frozen `{ name, arguments, result }` that programs see
 */

/**
 * @typedef {object} Parameter
 * @property {TypeObject} type
 * @property {boolean} reads whether C gets the value (In)
 * @property {boolean} writes whether JavaScript gets it back (Out)
 */

/**
 * What the dialect knows about a type. Properties that a kind has no use for are undefined.
 * @typedef {object} Internals
 * @property {Kind} kind
 * @property {number} id its identity as a number
 * @property {string} name
 * @property {string} primitive Koffi's word for the kind, as in `type.primitive`
 * @property {number} size in bytes
 * @property {number} align in bytes; 0 where the size is 0
 * @property {number} depth how deep records and arrays nest in it
 * @property {number} leaves how many members its notation has, those of nested records included
 * @property {() => string} notation its text for native.layout and signatures, see
 *   src/types/notation.rs; throws for what cannot travel by value
 * @property {boolean} [signed] of an integer
 * @property {boolean} [swapped] whether an integer is in the byte order that is not the machine's
 * @property {boolean} [character] whether arrays of an integer are text, and pointers to it strings
 * @property {object} [values] constants of an enumeration, frozen
 * @property {number} [unit] bytes of a character of a string
 * @property {TypeObject} [ref] element of an array, pointee of a pointer, string or callback
 * @property {number} [length] of an array
 * @property {'Array' | 'Typed' | 'Buffer' | 'String'} [hint] of an array
 * @property {string} [countedBy] name of the sibling member that holds the element count of an
 *   array or pointer
 * @property {Member[]} [members] of a struct or union, with padding
 * @property {Map<string, Member>} [byName] the same without padding
 * @property {boolean} [packed] of a struct
 * @property {Declaration} [proto] of a prototype or callback
 * @property {{ func: Function | undefined }} [dispose] of a disposable type: what to call with
 *   the pointer; C's `free` when undefined
 * @property {boolean} incomplete whether it is opaque
 * @property {Map<unknown, unknown>} derived types made of it, by what they are
 * @property {(() => void)[]} [waiting] what runs once it is complete
 */

/** How deep records and arrays may nest: as deep as the native side parses. */
const MAX_DEPTH = 64;
/** How many members a record that travels by value may have, those of nested records included. */
const MAX_LEAVES = 65_536;

/** What only this file can call the constructor with. */
const KEY = Symbol('TypeObject');

/** The internals of a type; undefined when the value is none. Set by the class below. */
let internals;

/** A type, as programs see it. */
class TypeObject {
  // What all types have. Fields are defined, whatever setters prototypes have.
  name = undefined;
  primitive = undefined;
  size = 0;
  alignment = 0;
  disposable = false;
  #internals;

  static {
    const isObject = (value) => typeof value === 'object' && value !== null;
    internals = (value) => (isObject(value) && #internals in value ? value.#internals : undefined);
  }

  constructor(key, own) {
    if (key !== KEY) throw malformed('Type objects cannot be constructed manually');
    this.#internals = own;
    (own.incomplete ? publish : publishWhole)(this, own);
  }
}

/** What programs see of each kind, after the keys that all types have. */
function details(own) {
  switch (own.kind) {
    case 'array':
      return { length: own.length, hint: own.hint, ref: own.ref };
    case 'pointer':
      return { ref: own.ref };
    case 'struct':
    case 'union':
      return { members: publicMembers(own) };
    case 'prototype':
    case 'callback':
      return { proto: own.proto.info };
    default:
      return own.values === undefined ? undefined : { values: own.values };
  }
}

function publicMembers({ members }) {
  const visible = members.filter((member) => !member.padding);
  const entries = visible.map(({ name, type, offset }) => [
    name,
    Object.freeze({ name, type, offset }),
  ]);
  return Object.freeze(Object.fromEntries(entries));
}

/**
 * Gives a TypeObject its own properties. Those of an opaque type stay open for us, and only for
 * us to use: they cannot be assigned to.
 */
function publish(type, own) {
  const { name, primitive, size, align, dispose } = own;
  const fields = { name, primitive, size, alignment: align, disposable: dispose !== undefined };
  const configurable = own.incomplete;
  for (const [key, value] of Object.entries({ ...fields, ...details(own) })) {
    Object.defineProperty(type, key, { value, enumerable: true, writable: false, configurable });
  }
  if (!configurable) Object.freeze(type);
}

/** The same for a type that is complete when it is made, like the fifty that are made first. */
function publishWhole(type, own) {
  type.name = own.name;
  type.primitive = own.primitive;
  type.size = own.size;
  type.alignment = own.align;
  type.disposable = own.dispose !== undefined;
  const more = details(own);
  for (const key in more) {
    Object.defineProperty(type, key, { value: more[key], enumerable: true });
  }
  Object.freeze(type);
}

let made = 0;

/** Makes a type of its internals, without the properties that follow from the others. */
function makeType(own) {
  return new TypeObject(KEY, {
    depth: 0,
    leaves: 1,
    incomplete: own.kind === 'opaque',
    derived: new Map(),
    ...own,
    id: ++made,
  });
}

/**
 * Gives an opaque type the members of a record, in place.
 * @param {TypeObject} type an opaque type
 * @param {object} record internals of a struct or union, but for its name
 */
function complete(type, record) {
  const own = internals(type);
  const { name, derived, id, waiting = [] } = own;
  Object.assign(own, record, { name, derived, id, incomplete: false, waiting: undefined });
  publish(type, own);
  for (const run of waiting) run();
}

/**
 * Runs a function when an opaque type gets its members: what was compiled for a pointer to it has
 * to be compiled anew. It never runs for a type that is complete.
 */
function whenComplete(type, run) {
  const own = internals(type);
  if (own.incomplete) {
    own.waiting ??= [];
    own.waiting.push(run);
  }
}

/** Size and alignment of a notation on this machine. */
function sizeOf(notation) {
  const [size, align] = native.layout(notation);
  return { size, align };
}

/** Internals of a scalar: everything that one notation word says. */
const scalar = (kind, notation, more) => ({
  kind,
  notation: () => notation,
  ...sizeOf(notation),
  ...more,
});

/** Internals of all that is a pointer to C. */
const POINTER = scalar('pointer', 'ptr');

/** The name of a pointer to a type. */
const pointerName = (name) => (name.endsWith('*') ? `${name}*` : `${name} *`);

/** The text of a member in a record's notation. */
const memberNotation = ({ align }, text) => (align === undefined ? text : `${text}@${align}`);

const recordText = (kind, packed, members) => `${kind}${packed ? '#1' : ''}{${members.join(', ')}}`;

/**
 * Internals of a struct or union with the layout that C gives it.
 *
 * The notation that is laid out has bytes with the alignment of each nested record and array in
 * the place of their members, so that its length does not grow with what they hold.
 *
 * @param {'struct' | 'union'} kind
 * @param {{ name: string, type: TypeObject, align: number | undefined, padding: boolean }[]} list
 * @param {boolean} packed
 */
function recordInternals(kind, list, packed) {
  const inner = list.map(({ type }) => internals(type));
  const bytes = list.map((member, i) => {
    const { kind: of, size, align, notation } = inner[i];
    if (of !== 'struct' && of !== 'union' && of !== 'array') {
      return memberNotation(member, notation());
    }
    const natural = packed ? undefined : align;
    return memberNotation({ align: member.align ?? natural }, `u8[${size}]`);
  });
  const [size, align, ...offsets] = native.layout(recordText(kind, packed, bytes));
  const members = list.map((member, i) => Object.freeze({ ...member, offset: offsets[i] }));
  const leaves = inner.reduce((sum, own) => sum + own.leaves, 0);
  const depth = 1 + inner.reduce((max, own) => Math.max(max, own.depth), 0);
  let text;
  const notation = () => {
    if (leaves > MAX_LEAVES) throw invalidType('This type has too many members to be passed');
    text ??= recordText(
      kind,
      packed,
      list.map((member, i) => memberNotation(member, inner[i].notation())),
    );
    return text;
  };
  return {
    kind,
    primitive: kind === 'struct' ? 'Record' : 'Union',
    size,
    align,
    depth,
    leaves,
    members: Object.freeze(members),
    byName: new Map(members.filter((member) => !member.padding).map((m) => [m.name, m])),
    packed,
    notation,
  };
}

module.exports = {
  MAX_DEPTH,
  POINTER,
  TypeObject,
  complete,
  internals,
  makeType,
  pointerName,
  recordInternals,
  scalar,
  whenComplete,
};
