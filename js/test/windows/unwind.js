// flags: --allow-natives-syntax --no-concurrent-recompilation
// env: FFI_JIT_TIER=node-api FFI_JIT_COUNT_ENTRIES=1
'use strict';
// The unwind tables of 64-bit Windows, used for what they are for: a C function that our code called
// walks the stack with RtlLookupFunctionEntry and RtlVirtualUnwind, through our code for calls, V8
// and Node, and our code for callbacks, up to the C function that called back. Thunks, too.
// Run by the rows of ci/targets.js for 64-bit Windows.

const assert = require('node:assert/strict');
const test = require('node:test');
const koffi = require('ffi-jit/koffi');
const { native } = require('../../core/loader.js');
const tiers = require('../../core/tier.js');
const { windowsPath } = require('../support/native');

const own = koffi.load(windowsPath());
const FRAME = ['rip', 'rsp', 'rbp', 'rbx', 'table', 'begin', 'end', 'saved'];
const MOST = 400;

const walkInto = own.func('int walk_stack(_Out_ uint64_t *, int)');
const image = own.func('uint64_t image_of(uint64_t)');
/** The image that an address belongs to; 0n for generated code. */
const imageOf = (address) => BigInt(image(address));
const KNOWN_RBP = 0x1122334455667788n;

/** The frames from `walk_stack` itself up. */
function walk(call = walkInto) {
  const words = new BigUint64Array(MOST * FRAME.length);
  const count = call(words, MOST);
  assert.ok(count > 5, `${count} frames`);
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(FRAME.map((name, at) => [name, words[i * FRAME.length + at]])),
  );
}

const dll = imageOf(own.symbol('walk_stack'));
const inOurCode = ({ rip }) => imageOf(rip) === 0n;

test('from a called function, the walk goes through the trampoline to Node', () => {
  const frames = walk();
  // The first step leaves walk_stack, which the trampoline called; the second the trampoline.
  const [intoTrampoline, intoNode] = frames;
  assert.equal(imageOf(intoTrampoline.rip), 0n, 'our code belongs to no image');
  assert.equal(intoNode.table, 1n, 'the trampoline has a table');
  assert.ok(intoNode.begin < intoTrampoline.rip && intoTrampoline.rip < intoNode.end);
  assert.notEqual(imageOf(intoNode.rip), 0n, 'what called the trampoline is Node');
  assert.notEqual(imageOf(intoNode.rip), dll);
  // The frame pointer was pushed where the trampoline's points, the return address above it.
  assert.equal(intoNode.rsp, intoTrampoline.rbp + 16n);
  assert.equal(intoNode.rbx, intoNode.saved, 'rbx comes from below the frame pointer');
  assert.notEqual(intoNode.rbx, intoTrampoline.rbx, 'the trampoline has its frame in rbx');
});

test('from a function that V8 calls directly, the walk goes through the thunk', () => {
  const numbers = Array.from({ length: 6 }, () => 'int');
  tiers.useTier('direct');
  const call = own.func('walk_stack', 'int', ['uint64_t', 'int', ...numbers]);
  const walkHot = (words, most) => call(Number(koffi.address(words)), most, 1, 2, 3, 4, 5, 6);
  const optimise = new Function(
    'fn',
    '%PrepareFunctionForOptimization(fn); return () => %OptimizeFunctionOnNextCall(fn);',
  )(walkHot);
  const words = new BigUint64Array(MOST * FRAME.length);
  for (let i = 0; i < 2000; i++) walkHot(words, 1);
  optimise();
  walkHot(words, 1);
  const [, , before] = native.packedCounts();
  const [intoThunk, intoCaller] = walk(walkHot);
  const [, , after] = native.packedCounts();
  tiers.useTier('node-api');
  assert.equal(after - before, 1, 'the thunk was entered');
  assert.equal(imageOf(intoThunk.rip), 0n);
  assert.equal(intoCaller.table, 1n, 'the thunk has a table');
  assert.ok(intoCaller.begin < intoThunk.rip && intoThunk.rip < intoCaller.end);
  assert.equal(imageOf(intoCaller.rip), 0n, 'what called it is code of V8');
  assert.equal(intoCaller.rsp, intoThunk.rbp + 16n);
});

test('arguments on the stack and large frames do not change the way out', () => {
  const many = Array.from({ length: 40 }, () => 'double');
  const call = own.func('walk_stack', 'int', ['_Out_ uint64_t *', 'int', ...many]);
  const [intoTrampoline, intoNode] = walk((words, most) =>
    call(words, most, ...many.map(() => 0.5)),
  );
  assert.equal(intoNode.table, 1n);
  assert.equal(intoNode.rsp, intoTrampoline.rbp + 16n);
  assert.equal(intoNode.rbx, intoNode.saved);
  const big = koffi.struct('Big', { bytes: koffi.array('uint8_t', 20_000) });
  const passing = own.func('walk_stack', 'int', ['_Out_ uint64_t *', 'int', big]);
  const value = { bytes: new Uint8Array(20_000) };
  const [inside, outside] = walk((words, most) => passing(words, most, value));
  assert.equal(outside.table, 1n);
  assert.equal(outside.rsp, inside.rbp + 16n);
});

test('through a callback, the walk reaches the function that called back', () => {
  koffi.proto('int Back(int)');
  const callKnown = own.func('int call_known(Back *, _Out_ uint64_t *)');
  const here = new BigUint64Array(2);
  let frames;
  const result = callKnown((value) => {
    frames = walk();
    return value * 2;
  }, here);
  assert.equal(result, 10);
  const [rsp, rip] = here;
  const reached = frames.findIndex((frame) => frame.rip === rip);
  assert.ok(reached > 0, 'the call is among the return addresses');
  // What was left to get there is our code for callbacks, by a table of ours.
  const [upcall, known] = [frames[reached - 1], frames[reached]];
  assert.ok(inOurCode(upcall));
  assert.equal(known.table, 1n);
  assert.ok(known.begin < upcall.rip && upcall.rip < known.end);
  assert.equal(known.rsp, rsp);
  assert.equal(known.rbp, KNOWN_RBP);
  assert.equal(imageOf(known.rip), dll);
  // From there on it goes to the trampoline that called the DLL, and to Node again.
  const [ofTrampoline, ofNode] = frames.slice(reached + 1);
  assert.ok(inOurCode(ofTrampoline));
  assert.equal(ofNode.table, 1n);
  assert.notEqual(imageOf(ofNode.rip), 0n);
});
