// What calls give: every type, struct and array, with every option.
import {
  DataType,
  FFITypeTag,
  arrayConstructor,
  define,
  funcConstructor,
  load,
  restorePointer,
  type ErrnoResult,
  type FieldType,
  type JsExternal,
  type ResultOf,
  type U8ArrayResult,
} from 'ffi-jit';
import { check, is, type Same } from './expect.js';

const base = { library: 'l', funcName: 'f' };
const none = { paramsType: [], paramsValue: [] };

// Basic types.
is<string>()(load({ ...base, ...none, retType: DataType.String }));
is<string>()(load({ ...base, ...none, retType: DataType.WString }));
is<number>()(load({ ...base, ...none, retType: DataType.U8 }));
is<number>()(load({ ...base, ...none, retType: DataType.I16 }));
is<number>()(load({ ...base, ...none, retType: DataType.I32 }));
is<number>()(load({ ...base, ...none, retType: DataType.U32 }));
is<number>()(load({ ...base, ...none, retType: DataType.I64 }));
is<number>()(load({ ...base, ...none, retType: DataType.U64 }));
is<number>()(load({ ...base, ...none, retType: DataType.Float }));
is<number>()(load({ ...base, ...none, retType: DataType.Double }));
is<bigint>()(load({ ...base, ...none, retType: DataType.BigInt }));
is<boolean>()(load({ ...base, ...none, retType: DataType.Boolean }));
is<undefined>()(load({ ...base, ...none, retType: DataType.Void }));
is<JsExternal>()(load({ ...base, ...none, retType: DataType.External }));

// Arrays.
const ints = arrayConstructor({ type: DataType.I32Array, length: 3 });
const texts = arrayConstructor({ type: DataType.StringArray, length: 3 });
const bytes = arrayConstructor({ type: DataType.U8Array, length: 3 });
const floats = arrayConstructor({ type: DataType.FloatArray, length: 3 });
is<number[]>()(load({ ...base, ...none, retType: ints }));
is<string[]>()(load({ ...base, ...none, retType: texts }));
is<number[]>()(load({ ...base, ...none, retType: floats }));
is<U8ArrayResult>()(load({ ...base, ...none, retType: bytes }));
const buffer: Buffer = load({ ...base, ...none, retType: bytes });
const likeTheOriginal: number[] = load({ ...base, ...none, retType: bytes });
buffer.readUInt16LE(0);
likeTheOriginal.forEach((byte) => is<number>()(byte));

// The tags that descriptors come with.
is<DataType.Array>()(ints.ffiTypeTag);
is<FFITypeTag.StackArray>()(
  arrayConstructor({ type: DataType.I32Array, length: 1, ffiTypeTag: FFITypeTag.StackArray })
    .ffiTypeTag,
);
is<DataType.StackArray>()(
  arrayConstructor({ type: DataType.I32Array, length: 1, ffiTypeTag: DataType.StackArray })
    .ffiTypeTag,
);

// Structs: nested, tagged, with arrays; the tag is no field of the result.
const point = load({
  ...base,
  ...none,
  retType: { x: DataType.I32, y: DataType.Double, ffiTypeTag: DataType.StackStruct },
});
is<number>()(point.x);
check<Same<keyof typeof point, 'x' | 'y'>>(true);
// @ts-expect-error the tag does not leak into results
point.ffiTypeTag;
// @ts-expect-error no such field
point.z;

const person = load({
  ...base,
  ...none,
  retType: {
    name: DataType.String,
    weight: DataType.Float,
    rank: DataType.I16,
    fortune: DataType.BigInt,
    married: DataType.Boolean,
    handle: DataType.External,
    scores: arrayConstructor({ type: DataType.DoubleArray, length: 2 }),
    photo: arrayConstructor({ type: DataType.U8Array, length: 2 }),
    apply: funcConstructor({ paramsType: [DataType.I32], retType: DataType.I32 }),
    home: { x: DataType.I32, ffiTypeTag: DataType.StackStruct },
    route: arrayConstructor({
      type: DataType.StructArray,
      length: 2,
      ffiTypeTag: DataType.StackArray,
      structItemType: { x: DataType.I32, label: DataType.String, ffiTypeTag: DataType.StackStruct },
    }),
    parent: {},
  },
});
is<string>()(person.name);
is<number>()(person.weight);
is<number>()(person.rank);
is<bigint>()(person.fortune);
is<boolean>()(person.married);
is<JsExternal>()(person.handle);
is<JsExternal>()(person.apply);
is<number[]>()(person.scores);
is<U8ArrayResult>()(person.photo);
is<number>()(person.home.x);
const first = person.route[0]!;
is<number>()(first.x);
is<string>()(first.label);
// @ts-expect-error the tag of array items does not leak either
first.ffiTypeTag;
// @ts-expect-error a bigint is no number
const rounded: number = person.fortune;
const asInterface: BigInt = person.fortune;

// Fields whose names are those of descriptors are fields.
const named = load({
  ...base,
  ...none,
  retType: { type: DataType.I32, length: DataType.Double, paramsType: DataType.String },
});
is<number>()(named.type);
is<number>()(named.length);
is<string>()(named.paramsType);

// `as const` types, and types that were widened to DataType before they came here.
const frozen = { a: DataType.I32, b: { c: DataType.String } } as const;
is<number>()(load({ ...base, ...none, retType: frozen }).a);
is<string>()(load({ ...base, ...none, retType: frozen }).b.c);
const widened = { a: DataType.I32 };
const anything: string | number | unknown = load({ ...base, ...none, retType: widened }).a;
declare const anyType: FieldType;
load({ ...base, ...none, retType: anyType });

// Options.
is<ErrnoResult<number>>()(load({ ...base, ...none, retType: DataType.I32, errno: true }));
is<number>()(load({ ...base, ...none, retType: DataType.I32, errno: false }));
is<Promise<number>>()(load({ ...base, ...none, retType: DataType.I32, runInNewThread: true }));
is<Promise<ErrnoResult<string>>>()(
  load({ ...base, ...none, retType: DataType.String, errno: true, runInNewThread: true }),
);
declare const maybe: boolean;
is<number | ErrnoResult<number>>()(load({ ...base, ...none, retType: DataType.I32, errno: maybe }));
is<number | Promise<number>>()(
  load({ ...base, ...none, retType: DataType.I32, runInNewThread: maybe }),
);
// @ts-expect-error options are booleans
load({ ...base, ...none, retType: DataType.I32, errno: 'true' });
// @ts-expect-error options are booleans
load({ ...base, ...none, retType: DataType.I32, runInNewThread: 1 });
// @ts-expect-error a type is no string
load({ ...base, ...none, retType: 'int' });
// @ts-expect-error the symbol's name is missing
load({ library: 'l', ...none, retType: DataType.I32 });
// @ts-expect-error types come in a list
load({ ...base, retType: DataType.I32, paramsType: DataType.I32, paramsValue: [1] });
// @ts-expect-error a string result is no number
const notANumber: number = load({ ...base, ...none, retType: DataType.String });

// define maps each entry the same way.
const table = define({
  add: { library: 'l', retType: DataType.I32, paramsType: [DataType.I32, DataType.I32] },
  name: { library: 'l', retType: DataType.String, paramsType: [], errno: true },
  later: { library: 'l', retType: DataType.BigInt, paramsType: [], runInNewThread: true },
  both: {
    library: 'l',
    retType: { a: DataType.Float },
    paramsType: [],
    errno: true,
    runInNewThread: true,
  },
});
is<number>()(table.add([1, 2]));
is<ErrnoResult<string>>()(table.name());
is<Promise<bigint>>()(table.later([]));
table.both([]).then((result) => is<number>()(result.value.a));
define();
// @ts-expect-error one array, not the arguments themselves
table.add(1, 2);
// @ts-expect-error the table has no such function
table.subtract([1, 2]);
// @ts-expect-error an entry needs a result type
define({ f: { library: 'l', paramsType: [] } });

// restorePointer gives one value per type, each with its own type.
declare const cells: JsExternal[];
const restored = restorePointer({
  retType: [DataType.I32, DataType.String, { a: DataType.BigInt }],
  paramsValue: cells,
});
is<number>()(restored[0]);
is<string>()(restored[1]);
is<bigint>()(restored[2].a);
const [one, two] = restored;
is<number>()(one);
is<string>()(two);
const explicit = restorePointer<DataType.String>({
  retType: [DataType.String],
  paramsValue: cells,
});
is<string[]>()(explicit);
// @ts-expect-error a result is an array, also for one pointer
const bare: number = restorePointer({ retType: [DataType.I32], paramsValue: cells });
// @ts-expect-error a number is no external
restorePointer({ retType: [DataType.I32], paramsValue: [1] });

check<Same<ResultOf<DataType.Float>, number>>(true);
check<Same<ResultOf<DataType.StackStruct>, never>>(true);
void [asInterface, anything, rounded, notANumber, bare];
