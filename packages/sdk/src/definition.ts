/** What the loader collects. */

/** Marks a definition, also when another copy of this module made it. */
export const definitionBrand: unique symbol = Symbol.for("millrace.definition");

export interface DescribeOptions {
  readonly captureSource: boolean;
  readonly root: string | undefined;
}
