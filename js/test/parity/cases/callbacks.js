'use strict';
// Callbacks, where the original is predictable: queued ones, and those that another thread
// waits for. On the JavaScript thread it hands garbage to C, which is no outcome to record.

module.exports = ({ ffi, call, arrayOf, byValue, callback, nextTurn, pointerTo }) => {
  const { DataType: D } = ffi;
  const cases = [];
  const add = (id, run) => cases.push([`callbacks/${id}`, run]);
  const queued = (name, type) => async () => {
    const seen = [];
    const made = callback({ paramsType: [type], retType: D.Void }, (...args) => seen.push(args));
    call(name, D.Void, [D.External], [made.fn]);
    seen.push('returned');
    await nextTurn();
    made.free();
    return seen;
  };
  for (const [name, type] of [
    ['u8', D.U8],
    ['i16', D.I16],
    ['i32', D.I32],
    ['u32', D.U32],
    ['i64', D.I64],
    ['u64', D.U64],
    ['double', D.Double],
    ['string', D.String],
    ['wide', D.WString],
    ['bool', D.Boolean],
  ]) {
    add(`queued ${name}`, queued(`notify_${name}_sample`, type));
  }
  add('queued bigint', queued('notify_i64_sample', D.BigInt));
  add('queued float', queued('notify_float_sample', D.Float));
  add('queued NULL string', queued('notify_null_string', D.String));
  for (const [name, type] of [
    ['i16', D.I16Array],
    ['i32', D.I32Array],
    ['double', D.DoubleArray],
    ['u8', D.U8Array],
    ['string', D.StringArray],
  ]) {
    add(`queued ${name} array`, queued(`notify_${name}_array`, arrayOf(type, 3)));
  }
  add('queued struct', queued('notify_point', byValue({ x: D.I32, y: D.Double })));
  add(
    'queued struct pointer',
    queued('notify_mixed_pointer', { a: D.I64, b: D.Double, c: D.I32, name: D.String }),
  );
  add('order', async () => {
    const log = [];
    const made = callback({ paramsType: [D.I32], retType: D.Void }, (value) => {
      log.push(value);
      Promise.resolve().then(() => log.push(`microtask ${value}`));
    });
    call('call_void_times', D.Void, [D.External, D.I32], [made.fn, 3]);
    log.push('returned');
    await nextTurn();
    made.free();
    return log;
  });
  const waited =
    (name, type, value, fn = (v) => v) =>
    async () => {
      const made = callback({ paramsType: [type], retType: type }, fn);
      const result = await call(name, type, [D.External, type], [made.fn, value], {
        runInNewThread: true,
      });
      made.free();
      return result;
    };
  for (const [name, type, value] of [
    ['u8', D.U8, 255],
    ['i16', D.I16, -5],
    ['i32', D.I32, -5],
    ['u32', D.U32, 4000000000],
    ['i64', D.I64, -5],
    ['u64', D.U64, 5],
    ['double', D.Double, 0.5],
    ['string', D.String, 'text'],
    ['wide', D.WString, 'wide'],
  ]) {
    add(`pool ${name}`, waited(`call_${name}`, type, value));
    add(`thread ${name}`, waited(`call_${name}_thread`, type, value));
  }
  add(
    'pool converts the result',
    waited('call_i32', D.I32, 1, () => 2 ** 32 + 7.9),
  );
  add('several threads', async () => {
    const made = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => value);
    const total = await call(
      'ask_from_threads',
      D.I32,
      [D.External, D.I32, D.I32],
      [made.fn, 4, 25],
      { runInNewThread: true },
    );
    made.free();
    return total;
  });
  add('frees itself', async () => {
    const made = callback({ paramsType: [D.I32], retType: D.I32 }, (value) => {
      made.free();
      return value + 1;
    });
    return call('call_i32', D.I32, [D.External, D.I32], [made.fn, 41], { runInNewThread: true });
  });
  add('as a parameter', async () => {
    const log = [];
    const type = ffi.funcConstructor({ paramsType: [D.I32], retType: D.Void, needFree: true });
    call('call_void_times', D.Void, [type, D.I32], [(value) => log.push(value), 3]);
    log.push('returned');
    await new Promise((resolve) => setTimeout(resolve, 50));
    return [log, type];
  });
  add('freeing marks the descriptor', () => {
    const type = ffi.funcConstructor({ paramsType: [], retType: D.Void });
    const cell = pointerTo(type, () => {});
    ffi.freePointer({
      paramsType: [type],
      paramsValue: [cell],
      pointerType: ffi.PointerType.RsPointer,
    });
    return type;
  });
  for (const value of [5, 'f', null, undefined, {}]) {
    add(`no function ${JSON.stringify(value)}`, () =>
      pointerTo(ffi.funcConstructor({ paramsType: [], retType: D.Void }), value),
    );
  }
  return cases;
};
