// Callbacks get their types from funcConstructor; pointers and externals.
import {
  DataType,
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
  unwrapPointer,
  wrapPointer,
  type CallbackOf,
  type FunctionDescriptor,
  type JsExternal,
  type ValueOf,
} from 'ffi-jit';
import { check, is, type Same } from './expect.js';

const compare = funcConstructor({
  paramsType: [DataType.I32, DataType.String, DataType.BigInt, { x: DataType.Double }],
  retType: DataType.I32,
});
check<
  Same<CallbackOf<typeof compare>, (a: number, b: string, c: bigint, d: { x: number }) => number>
>(true);

// Parameters of a callback need no annotation.
createPointer({
  paramsType: [compare],
  paramsValue: [
    (a, b, c, d) => {
      is<number>()(a);
      is<string>()(b);
      is<bigint>()(c);
      is<number>()(d.x);
      return 1;
    },
  ],
});
load({
  library: 'l',
  funcName: 'f',
  retType: DataType.Void,
  paramsType: [DataType.I32, funcConstructor({ paramsType: [DataType.Boolean] })],
  paramsValue: [
    1,
    (flag) => {
      is<boolean>()(flag);
    },
  ],
});
const table = define({
  each: {
    library: 'l',
    retType: DataType.Void,
    paramsType: [
      funcConstructor({
        paramsType: [arrayConstructor({ type: DataType.I32Array, length: 2 }), DataType.External],
        retType: DataType.Void,
      }),
    ],
  },
});
table.each([
  (list, handle) => {
    is<number[]>()(list);
    is<JsExternal>()(handle);
  },
]);

// Without a result type it is Void; then the function may return anything.
const notify = funcConstructor({ paramsType: [DataType.U8] });
is<FunctionDescriptor<[DataType.U8], DataType.Void>>()(notify);
const push: CallbackOf<typeof notify> = (byte) => [byte].length;
// @ts-expect-error a string parameter where C passes a number
const wrongParameter: CallbackOf<typeof compare> = (a: string) => 1;
// @ts-expect-error a string result where C wants a number
const wrongResult: CallbackOf<typeof compare> = () => 'one';
// @ts-expect-error the types of the parameters are missing
funcConstructor({ retType: DataType.Void });

// Values that one may want to check against a type.
const settings: ValueOf<{ name: DataType.String; level: DataType.U8; big: DataType.BigInt }> = {
  name: 'x',
  level: 1,
  big: 1n,
};
// @ts-expect-error a field is missing
const incomplete: ValueOf<{ a: DataType.I32; b: DataType.I32 }> = { a: 1 };
const nothing: ValueOf<DataType.String> = null;

// Any value is allowed in the lists, as in the original: it is checked at run time.
declare const unknownValues: unknown[];
load({
  library: 'l',
  funcName: 'f',
  retType: 1,
  paramsType: [DataType.I32],
  paramsValue: unknownValues,
});
createPointer({ paramsType: [DataType.I32], paramsValue: unknownValues });
table.each(unknownValues);

const pointers: JsExternal[] = createPointer({
  paramsType: [DataType.Void],
  paramsValue: [undefined],
});
const [pointer] = unwrapPointer(wrapPointer(pointers));
const isNull: boolean = isNullPointer(pointer!);
const view: Buffer = createExternalBuffer(pointer!, 8);
freePointer({ paramsType: [notify], paramsValue: pointers, pointerType: PointerType.RsPointer });
open({ library: 'l', path: '' });
close('l');
// @ts-expect-error whose memory it is must be said
freePointer({ paramsType: [DataType.I32], paramsValue: pointers });
// @ts-expect-error a number is no address
isNullPointer(0);
// @ts-expect-error one external is no list
unwrapPointer(pointer);
// @ts-expect-error the path is missing
open({ library: 'l' });
// @ts-expect-error an array needs a length
arrayConstructor({ type: DataType.I32Array });
void [push, wrongParameter, wrongResult, settings, incomplete, nothing, isNull, view];
