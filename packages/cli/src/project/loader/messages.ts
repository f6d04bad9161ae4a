/** What the loader's child is told, as the JSON of its only argument, and what it says: lines of JSON on descriptor 3. */
import type { SourceLocation } from "@millrace/core";

export interface ChildRequest {
  readonly kind: "configuration" | "project";
  /** Holds `bundle.mjs`. */
  readonly folder: string;
  /** The project's root: externals are resolved from here. */
  readonly root: string;
  readonly externals: readonly string[];
  /** Files that are left out, as they ended an earlier child. */
  readonly skip: readonly string[];
  /** How long one file may take. */
  readonly fileTimeoutMs: number;
  /** An earlier child ended while pipelines were described: describe file by file first, to learn which one it was. */
  readonly probe: boolean;
}

/** An error as it crosses the process. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Of an error of ours. */
  readonly code?: string;
  readonly advice?: string;
  readonly fields?: { readonly [name: string]: unknown };
  /** Where in the project's files it arose. */
  readonly source?: SourceLocation;
}

export type ChildMessage =
  | { readonly kind: "starting"; readonly file: string }
  /** A file's import threw; or something of a file threw later, outside of any call. */
  | { readonly kind: "failed"; readonly file?: string; readonly error: PlainError }
  /** `process.exit` was called: nothing follows. */
  | {
      readonly kind: "exiting";
      readonly file?: string;
      readonly code: string;
      readonly source?: SourceLocation;
    }
  /** An import awaits what can't settle, as the event loop ran dry, or has not for `afterMs`: nothing follows. */
  | {
      readonly kind: "unsettled";
      readonly file?: string;
      readonly afterMs?: number;
      readonly source?: SourceLocation;
    }
  /** The pipelines of this file are described alone. */
  | { readonly kind: "probing"; readonly file: string }
  /** All imports ended; the definitions are built. */
  | { readonly kind: "describing" }
  /** Something that was opened at import, or by a pipeline's body, is still open. */
  | {
      readonly kind: "open";
      readonly file: string;
      readonly resource: string;
      readonly source?: SourceLocation;
    }
  /** The end. `errors` are those that the SDK found in single pipelines. */
  | { readonly kind: "done"; readonly value: unknown; readonly errors: readonly PlainError[] };

export const messageDescriptor = 3;
