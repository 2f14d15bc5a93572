'use strict';
// open, load, define: fields, order of checks, texts of errors, errno, threads.

module.exports = ({ ffi, call, arrayOf }) => {
  const { DataType: D, define, load, open, close } = ffi;
  const cases = [];
  const add = (id, run) => cases.push([`calls/${id}`, run]);
  const good = () => ({
    library: 'fixture',
    funcName: 'echo_i32',
    retType: D.I32,
    paramsType: [D.I32],
    paramsValue: [5],
  });

  for (const field of Object.keys(good())) {
    add(`missing ${field}`, () => {
      const params = good();
      delete params[field];
      return load(params);
    });
    add(`undefined ${field}`, () => load({ ...good(), [field]: undefined }));
  }
  add('empty object', () => load({}));
  for (const field of ['library', 'funcName'])
    add(`number as ${field}`, () => load({ ...good(), [field]: 5 }));
  for (const value of ['text', true, null, () => 1])
    add(`retType ${typeof value} ${value === null}`, () => load({ ...good(), retType: value }));
  for (const value of ['text', 5, null, { length: 1 }])
    add(`paramsValue ${JSON.stringify(value)}`, () => load({ ...good(), paramsValue: value }));
  add('too few values', () => load({ ...good(), paramsValue: [] }));
  add('too many values', () => load({ ...good(), paramsValue: [1, 2] }));
  add('library not opened', () => load({ ...good(), library: 'never opened' }));
  add('library not opened, bad symbol, wrong count', () =>
    load({ ...good(), library: 'never opened', funcName: 'x', paramsValue: [] }),
  );
  add('missing symbol', () => load({ ...good(), funcName: 'no_such_symbol' }));
  add('missing symbol, wrong count', () =>
    load({ ...good(), funcName: 'no_such_symbol', paramsValue: [] }),
  );
  add('wrong count, bad retType', () => load({ ...good(), paramsValue: [], retType: 'x' }));
  add('bad value, bad retType', () => load({ ...good(), paramsValue: ['5'], retType: 'x' }));
  for (const type of [55, 21, -1]) {
    add(`unknown retType ${type}`, () => load({ ...good(), retType: type }));
    add(`unknown parameter type ${type}`, () => load({ ...good(), paramsType: [type] }));
  }
  for (const type of ['I32', null, undefined, true])
    add(`parameter type ${type}`, () => load({ ...good(), paramsType: [type] }));
  for (const option of ['errno', 'runInNewThread', 'freeResultMemory']) {
    for (const value of [null, 1, 'true', false, undefined]) {
      add(`${option} ${JSON.stringify(value)}`, () => load({ ...good(), [option]: value }));
    }
  }
  add('extra keys', () => load({ ...good(), more: 1 }));
  add('inherited fields', () => load(Object.create(good())));
  add('frozen argument', () => load(Object.freeze(good())));
  add('argument afterwards', () => {
    const params = {
      ...good(),
      funcName: 'sum_i32_array',
      retType: D.Double,
      paramsType: [D.I32Array, D.I32],
      paramsValue: [[1, 2], 2],
    };
    load(params);
    return params;
  });

  add('open twice', () => open({ library: 'fixture', path: '/nonexistent' }));
  add('open missing file', () => open({ library: 'missing', path: '/nonexistent/lib.so' }));
  add('open without path', () => open({ library: 'x' }));
  add('open without library', () => open({ path: '' }));
  add('open number', () => open({ library: 'x', path: 5 }));
  add('close unknown', () => close('unknown key'));
  add('close number', () => close(5));
  add('call after close', () => {
    open({ library: 'short', path: '' });
    close('short');
    return load({
      library: 'short',
      funcName: 'atoi',
      retType: D.I32,
      paramsType: [D.String],
      paramsValue: ['1'],
    });
  });
  add('main program', () =>
    load({
      library: 'main',
      funcName: 'atoi',
      retType: D.I32,
      paramsType: [D.String],
      paramsValue: ['12x'],
    }),
  );
  add('fixture symbol in main program', () => load({ ...good(), library: 'main' }));

  const entry = (retType, paramsType, more) => ({
    library: 'fixture',
    retType,
    paramsType,
    ...more,
  });
  const table = () =>
    define({
      add_i32: entry(D.I32, [D.I32, D.I32]),
      sum_i32_array: entry(D.Double, [D.I32Array, D.I32], { funcName: 'overridden' }),
      missing_symbol: entry(D.I32, []),
      set_errno: entry(D.I32, [D.I32], { errno: true }),
    });
  add('define/keys', () => Object.keys(table()));
  add('define/call', () => table().add_i32([40, 2]));
  add('define/not an array', () => table().add_i32(1));
  add('define/nothing', () => table().add_i32());
  add('define/too few', () => table().add_i32([1]));
  add('define/lengths', () => {
    const { sum_i32_array: sum } = table();
    return [sum([[1, 2], 2]), sum([[1, 2, 3], 3])];
  });
  add('define/missing symbol', () => table().missing_symbol([]));
  add('define/errno', () => table().set_errno([2]));
  add('define/empty', () => define({}));

  for (const code of [0, 1, 2, 13, 22, 9999]) {
    add(`errno/${code}`, () => call('set_errno', D.I32, [D.I32], [code], { errno: true }));
    add(`errno/thread ${code}`, () =>
      call('set_errno', D.I32, [D.I32], [code], { errno: true, runInNewThread: true }),
    );
  }
  add('errno/keys', () => Object.keys(call('set_errno', D.I32, [D.I32], [2], { errno: true })));
  add('errno/void', () => call('set_errno_void', D.Void, [D.I32], [4], { errno: true }));
  add('errno/string', () => call('set_errno_string', D.String, [D.I32], [17], { errno: true }));

  const thread = { runInNewThread: true };
  add('thread/i32', () => call('add_i32', D.I32, [D.I32, D.I32], [40, 2], thread));
  add('thread/string', () =>
    call('concat_strings', D.String, [D.String, D.String], ['a', 'b'], thread),
  );
  add('thread/array', () =>
    call('echo_i32_array', arrayOf(D.I32Array, 3), [D.I32Array], [[1, 2, 3]], thread),
  );
  add('thread/struct', () => call('points_static', { x: D.I32, y: D.Double }, [], [], thread));
  add('thread/is a promise', () => ({
    promise: call('forty_two', D.I32, [], [], thread) instanceof Promise,
  }));
  add('thread/wrong value', () => call('add_i32', D.I32, [D.I32, D.I32], [1, '2'], thread));
  add('thread/missing symbol', () => call('no_such_symbol', D.I32, [], [], thread));

  const freed = { freeResultMemory: true };
  add('free/scalar', () => call('forty_two', D.I32, [], [], freed));
  add('free/string', () => call('make_string', D.String, [D.I32], [5], freed));
  add('free/array', () => call('make_i32_array', arrayOf(D.I32Array, 3), [D.I32], [3], freed));
  add('free/strings', () =>
    call('make_string_array', arrayOf(D.StringArray, 3), [D.I32], [3], freed),
  );
  return cases;
};
