'use strict';
// What a native library is for, read from its own headers: nobody publishes the addon of one
// platform in the package of another.
//
// ELF: System V gABI, chapters 4 and 5. PE: Microsoft's "PE Format". Mach-O: <mach-o/loader.h>.

const fs = require('node:fs');

const ELF_MACHINES = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64' };
const PE_MACHINES = { 332: 'ia32', 34404: 'x64', 43620: 'arm64' };
const MACH_CPUS = { 16777223: 'x64', 16777228: 'arm64' };

const LOAD = 1;
const DYNAMIC = 2;
const NEEDED = 1;
const STRINGS = 5;
const STRINGS_SIZE = 10;

/** Readers of the fields of an ELF file, whose width depends on its class. */
function elfFields(bytes) {
  const wide = bytes[4] === 2;
  const word = (at) => (wide ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const size = wide ? 8 : 4;
  const [table, entry] = wide ? [32, 54] : [28, 42];
  const segment = (at) => ({
    type: bytes.readUInt32LE(at),
    offset: word(at + size),
    address: word(at + 2 * size),
    size: word(at + (wide ? 32 : 16)),
  });
  const count = bytes.readUInt16LE(entry + 2);
  const segments = Array.from({ length: count }, (_, i) =>
    segment(word(table) + i * bytes.readUInt16LE(entry)),
  );
  return { word, size, segments };
}

/** The libraries that an ELF file needs, and the table of its dynamic strings. */
function elfDynamic(bytes) {
  const { word, size, segments } = elfFields(bytes);
  const dynamic = segments.find(({ type }) => type === DYNAMIC);
  if (!dynamic) return { needed: [], strings: '' };
  const entries = [];
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 2 * size) {
    entries.push([word(at), word(at + size)]);
  }
  const value = (tag) => entries.find(([its]) => its === tag)?.[1] ?? 0;
  const address = value(STRINGS);
  const holder = segments.find(
    (one) => one.type === LOAD && address >= one.address && address < one.address + one.size,
  );
  const start = address - holder.address + holder.offset;
  const strings = bytes.toString('latin1', start, start + value(STRINGS_SIZE));
  const stringAt = (offset) => strings.slice(offset, strings.indexOf('\0', offset));
  const needed = entries.filter(([tag]) => tag === NEEDED).map(([, offset]) => stringAt(offset));
  return { needed, strings };
}

function libcOf(needed) {
  const needs = (pattern) => needed.some((name) => pattern.test(name));
  if (needs(/^libc\.so\.6$/)) return 'gnu';
  if (needs(/^lib(?:dl|log)\.so$/)) return 'bionic'; // musl has no such libraries
  return needs(/^libc\.(?:so|musl-.*)$/) ? 'musl' : 'none';
}

/** The newest glibc, as `[2, minor]`, whose symbols are asked for. */
function glibcOf(strings) {
  const minors = [...strings.matchAll(/\0GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  return minors.length > 0 ? Math.max(...minors) : undefined;
}

function elf(bytes) {
  const { needed, strings } = elfDynamic(bytes);
  const cpu = ELF_MACHINES[bytes.readUInt16LE(18)] ?? 'unknown';
  return { kind: `ELF ${cpu} ${libcOf(needed)}`, needed, glibc: glibcOf(strings) };
}

/**
 * What a file is for.
 *
 * @param {string} file
 * @returns {{ kind: string, needed?: string[], glibc?: number }} format, processor and, for ELF, C
 *   library, as in "ELF x64 gnu"; what it needs, and the minor version of glibc
 */
function identify(file) {
  const bytes = fs.readFileSync(file);
  if (bytes.length < 64) return { kind: 'no library' };
  if (bytes.readUInt32BE(0) === 0x7f454c46 && bytes[5] === 1) return elf(bytes);
  if (bytes.readUInt32LE(0) === 0xfeedfacf) {
    return { kind: `Mach-O ${MACH_CPUS[bytes.readUInt32LE(4)] ?? 'unknown'}` };
  }
  const header = bytes.readUInt16LE(0) === 0x5a4d ? bytes.readUInt32LE(60) : bytes.length;
  if (header + 6 <= bytes.length && bytes.readUInt32LE(header) === 0x4550) {
    return { kind: `PE ${PE_MACHINES[bytes.readUInt16LE(header + 4)] ?? 'unknown'}` };
  }
  return { kind: 'no library' };
}

module.exports = { glibcOf, identify, libcOf };
