// Programs as people write them for ffi-rs. This file must compile against the declarations of
// the published package and against ours (../ffi-rs/types.test.js runs both), so it uses only
// what both have, and keeps the annotations that the original made necessary.
import {
  DataType,
  FFITypeTag,
  PointerType,
  arrayConstructor,
  close,
  createExternalBuffer,
  createPointer,
  define,
  freePointer,
  funcConstructor,
  isNullPointer,
  load,
  open,
  restorePointer,
  unwrapPointer,
  wrapPointer,
  type ArrayConstructorOptions,
  type FFIParams,
  type FieldType,
  type FuncConstructorOptions,
  type JsExternal,
  type OpenParams,
} from 'ffi-under-test';

const library: OpenParams = { library: 'libsum', path: './libsum.so' };
open(library);

// Plain calls, with inference and with explicit type arguments.
const sum: number = load({
  library: 'libsum',
  funcName: 'sum',
  retType: DataType.I32,
  paramsType: [DataType.I32, DataType.I32],
  paramsValue: [1, 2],
});
const text: string = load<DataType.String>({
  library: 'libsum',
  funcName: 'concatenateStrings',
  retType: DataType.String,
  paramsType: [DataType.String, DataType.String],
  paramsValue: ['foo', 'bar'],
});
const wide: string = load({
  library: 'libsum',
  funcName: 'wide',
  retType: DataType.WString,
  paramsType: [DataType.WString],
  paramsValue: ['w'],
});
const big: BigInt = load({
  library: 'libsum',
  funcName: 'big',
  retType: DataType.BigInt,
  paramsType: [DataType.BigInt],
  paramsValue: [10n],
});
const flag: boolean = load({
  library: 'libsum',
  funcName: 'flag',
  retType: DataType.Boolean,
  paramsType: [DataType.Boolean],
  paramsValue: [true],
});
const nothing: undefined = load({
  library: 'libsum',
  funcName: 'nothing',
  retType: DataType.Void,
  paramsType: [],
  paramsValue: [],
});
load<DataType.I32, undefined, undefined>({
  library: 'libsum',
  funcName: 'sum',
  retType: DataType.I32,
  paramsType: [],
  paramsValue: [],
});

// Bare numbers as types, parameters prepared elsewhere, values of unknown type.
declare const values: unknown[];
const parameterTypes: FieldType[] = [DataType.I32, DataType.U8Array];
parameterTypes.push(DataType.Double);
const prepared: FFIParams<DataType.I32> = {
  library: 'libsum',
  funcName: 'sum',
  retType: DataType.I32,
  paramsType: parameterTypes,
  paramsValue: values,
};
prepared.paramsType.push(DataType.Boolean);
prepared.paramsValue.push({ any: 'thing' });
const fromPrepared: number = load(prepared);

function callAny(
  funcName: string,
  retType: FieldType,
  paramsType: FieldType[],
  paramsValue: unknown[],
) {
  return load({ library: 'libsum', funcName, retType, paramsType, paramsValue });
}
callAny('sum', 1, [1, 1], [1, 2]);

// errno and threads.
const failed: { errnoCode: number; errnoMessage: string; value: number } = load<DataType.I32, true>(
  {
    library: 'libsum',
    funcName: 'setErrno',
    retType: DataType.I32,
    paramsType: [],
    paramsValue: [],
    errno: true,
  },
);
async function threads(): Promise<number> {
  const first: number = await load<DataType.I32, undefined, true>({
    library: 'libsum',
    funcName: 'sum',
    retType: DataType.I32,
    paramsType: [DataType.I32, DataType.I32],
    paramsValue: [1, 2],
    runInNewThread: true,
    freeResultMemory: false,
  });
  return first + failed.errnoCode + failed.value;
}

// Arrays: results were typed loosely, so programs cast them.
const bigDoubleArray = new Array(5).fill(1.1);
const doubles = load({
  library: 'libsum',
  funcName: 'createArrayDouble',
  retType: arrayConstructor({ type: DataType.DoubleArray, length: bigDoubleArray.length }),
  paramsType: [DataType.DoubleArray, DataType.I32],
  paramsValue: [bigDoubleArray, bigDoubleArray.length],
}) as number[];
const names = load({
  library: 'libsum',
  funcName: 'createArrayString',
  retType: arrayConstructor({ type: DataType.StringArray, length: 2 }),
  paramsType: [DataType.StringArray, DataType.I32],
  paramsValue: [['a', 'b'], 2],
}) as string[];
const photo = load({
  library: 'libsum',
  funcName: 'createBuffer',
  retType: arrayConstructor({ type: DataType.U8Array, length: 2 }),
  paramsType: [DataType.U8Array],
  paramsValue: [Buffer.alloc(3)],
}) as number[];
const described: ArrayConstructorOptions = arrayConstructor({
  type: DataType.StructArray,
  length: 2,
  dynamicArray: true,
  ffiTypeTag: FFITypeTag.StackArray,
  structItemType: { n: DataType.I32, ffiTypeTag: DataType.StackStruct },
});
if (described.ffiTypeTag !== undefined && described.length > 0) described.length = 3;

// Structs: one type object, shared; results cast to an interface of one's own.
interface Person {
  name: string;
  age: number;
  parent: { name: string };
}
const personType = {
  name: DataType.String,
  age: DataType.I32,
  doubles: arrayConstructor({ type: DataType.DoubleArray, length: 3 }),
  parent: { name: DataType.String, age: DataType.I32 },
};
const person = load({
  library: 'libsum',
  funcName: 'getStruct',
  retType: personType,
  paramsType: [personType],
  paramsValue: [
    { name: 'tom', age: 23, doubles: [1, 2, 3], parent: { name: 'tom father', age: 46 } },
  ],
}) as unknown as Person;
const exact = load({
  library: 'libsum',
  funcName: 'getStruct',
  retType: {
    name: DataType.String,
    age: DataType.I32,
    fortune: DataType.BigInt,
    inner: { x: DataType.Double, ffiTypeTag: DataType.StackStruct },
    ffiTypeTag: DataType.StackStruct,
  },
  paramsType: [],
  paramsValue: [],
});
const age: number = exact.age;
const x: number = exact.inner.x;
const fortune: BigInt = exact.fortune;

// define, called with lists.
const libm = define({
  sum: { library: 'libsum', retType: DataType.I32, paramsType: [DataType.I32, DataType.I32] },
  name: { library: 'libsum', retType: DataType.String, paramsType: [] },
  slow: {
    library: 'libsum',
    retType: DataType.I32,
    paramsType: [DataType.I32],
    runInNewThread: true,
    errno: true,
  },
});
const defined: number = libm.sum([1, 2]);
const named: string = libm.name([]);
libm.slow(values).then((result) => result.value + result.errnoCode);

// Pointers.
const pointers: JsExternal[] = createPointer({
  paramsType: [DataType.I32, DataType.String, personType],
  paramsValue: [1, 'x', person],
});
const restored: string[] = restorePointer<DataType.String>({
  retType: [DataType.String],
  paramsValue: wrapPointer(pointers),
});
const mixed: (string | number)[] = restorePointer({
  retType: [DataType.I32, DataType.String],
  paramsValue: pointers,
});
const external: JsExternal = load({
  library: 'libsum',
  funcName: 'getPointer',
  retType: DataType.External,
  paramsType: [DataType.External],
  paramsValue: unwrapPointer(pointers),
});
const view: Buffer = createExternalBuffer(external, 8);
if (!isNullPointer(external)) {
  freePointer({
    paramsType: [DataType.I32, DataType.String, personType],
    paramsValue: pointers,
    pointerType: PointerType.RsPointer,
  });
}

// Callbacks, annotated by hand.
const callbackType: FuncConstructorOptions = funcConstructor({
  paramsType: [DataType.I32, DataType.Boolean, personType, described],
  retType: DataType.Void,
});
const callback = (a: number, b: boolean, c: Person) => {
  freePointer({
    paramsType: [callbackType],
    paramsValue: functionPointers,
    pointerType: PointerType.RsPointer,
  });
  return [a, b, c.age];
};
const functionPointers = createPointer({ paramsType: [callbackType], paramsValue: [callback] });
load({
  library: 'libsum',
  funcName: 'callFunction',
  retType: DataType.Void,
  paramsType: [
    funcConstructor({ paramsType: [DataType.I32], retType: DataType.I32, needFree: true }),
  ],
  paramsValue: [(value: number) => value],
});
load({
  library: 'libsum',
  funcName: 'callFunction',
  retType: DataType.Void,
  paramsType: [DataType.External],
  paramsValue: unwrapPointer(functionPointers),
  runInNewThread: true,
});
close('libsum');

export { threads };
void [sum, text, wide, big, flag, nothing, fromPrepared, doubles, names, photo, age, x, fortune];
void [defined, named, restored, mixed, view];
