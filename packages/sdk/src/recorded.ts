/** What values become when they are recorded. */

/** What a function's output is when it was recorded: a function that returns nothing yields null. */
export type Recorded<T> = 0 extends 1 & T
  ? T
  : [T] extends [void]
    ? null
    : Exclude<T, undefined> | (undefined extends T ? null : never);
