'use strict';
// Copies for C of direct calls: memory that C reads, and may write, while it runs.
//
// A direct marshaller keeps them at the bottom of the frame stack, whose places are constants, while
// TOP says that no other call has a frame there. One that nests in this call, from a getter or from C,
// finds TOP higher: it goes the packed way, in a frame of its own.
//
// TOP is raised last before the entry, when every value was read and stored, and lowered first behind
// it. The entry throws nothing (direct.js), so no `try` is needed.

const { native } = require('./loader.js');
const { BOTTOM, TOP, views } = require('./memory.js');

/** Bytes of one call's copies. */
const MAX_COPIES = 4096;

/** Where frame memory is, as a number; addresses are exact up to 2^53. */
const BASE = Number(native.base);
const isExact = BASE + views.u8.length <= Number.MAX_SAFE_INTEGER;

/**
 * `direct` of a pointer to a copy, which travels as the number of its address.
 * @param {object} copy
 * @param {(value: string, g: object) => string} copy.fits as in direct.js
 * @param {number} copy.size
 * @param {Function} copy.take as a codec's; user code may run
 * @param {(g: object, token: unknown, place: object) => void} copy.put throws nothing and runs no
 *   user code
 * @param {(g: object, place: object) => string[]} [copy.read] emits the reads of what C wrote; user
 *   code does not run
 * @param {(g: object, value: string, read: string[]) => void} [copy.after] puts it into the value
 */
const copyDirect = (copy) => ({
  form: 'n',
  fits: copy.fits,
  result: null,
  settled: true,
  mayCallBack: true,
  copy,
});

/** The copies of one call, of which there is at least one. */
class Copies {
  /** @param {object[]} params codecs */
  constructor(params) {
    this.list = [];
    let end = 0;
    params.forEach(({ direct }, index) => {
      if (direct?.copy === undefined) return;
      this.list.push({
        index,
        copy: direct.copy,
        at: BOTTOM + end,
        where: { argument: index, path: '' },
      });
      end = (end + direct.copy.size + 63) & ~63;
    });
    this.params = params;
    this.end = BOTTOM + end;
  }

  /** Why a call cannot have them. */
  obstacle() {
    const [{ index }] = this.list;
    const what = `argument ${index + 1}, ${this.params[index].notation}, needs memory`;
    if (!isExact || this.end - BOTTOM > MAX_COPIES) return what;
    // When text or a view is missed, the packed way would read the members a second time.
    const misses = this.params.some(({ direct }) => direct?.form === 's' || direct?.form === 'm');
    return misses ? `${what} besides text or a view` : undefined;
  }

  /** What must hold before members are read. */
  conditions() {
    return [`u32[${TOP}] === ${BOTTOM}`];
  }

  /** Emits the reads of all members. A getter may make the first callback: then V8 must not know. */
  take(g, values, reentrant) {
    for (const entry of this.list) {
      entry.token = entry.copy.take(g, values[entry.index], entry.where);
    }
    if (!reentrant) g.emit('if (u32[LIVE] !== 0) break direct;');
  }

  /** Emits the stores. */
  put(g) {
    for (const { copy, token, at } of this.list) copy.put(g, token, new g.Ref(null, at, 64));
    g.emit(`u32[${TOP}] = ${this.end};`);
  }

  /** What is passed for an argument, if it is a copy. */
  passed(index) {
    const entry = this.list.find((other) => other.index === index);
    return entry === undefined ? undefined : String(BASE + entry.at);
  }

  /** Emits what has to be done right after C returned. */
  release(g) {
    for (const entry of this.list) {
      entry.read = entry.copy.read?.(g, new g.Ref(null, entry.at, 64));
    }
    g.emit(`u32[${TOP}] = ${BOTTOM};`);
  }

  /** Whether values get what C wrote. */
  get writes() {
    return this.list.some(({ copy }) => copy.after !== undefined);
  }

  /** Emits that. */
  finish(g, values) {
    for (const { copy, index, read } of this.list) copy.after?.(g, values[index], read);
  }
}

module.exports = { Copies, copyDirect };
