// Two types are the same when each accepts the other in every position.

/** `true` when `A` and `B` are the same type. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for `true`: `check<Same<A, B>>(true)`. */
export function check<T extends boolean>(_same: T): void {}

/** Compiles only when the value has exactly the type `T`: `is<number>()(value)`. */
export const is =
  <T>() =>
  <V>(_value: V, ..._wrong: Same<V, T> extends true ? [] : [expected: T]): void => {};
