/** Collects what a project's modules export of one kind: sources, webhooks, assets, probes. */
import { errorCodeOf, MillraceError, type ErrorCode } from "@millrace/core";
import type { DescribeOptions } from "./definition.ts";
import { formatSource, locate, type SourceMark } from "./source.ts";

interface Handle<Definition> {
  readonly name: string;
  readonly mark: SourceMark | undefined;
  describe(options: DescribeOptions): Definition;
}

/** How two of one name are told. */
export interface KindWords {
  readonly code: ErrorCode;
  /** `source`, also the name of the error's field. */
  readonly one: string;
  readonly many: string;
  readonly advice?: string;
}

/**
 * Those that can be described. By identity, because files may export each other's again. What is wrong with one goes into
 * `errors`.
 */
export function loadDefinitions<Definition, Of extends Handle<Definition>>(
  handles: Iterable<Of | undefined>,
  words: KindWords,
  options: DescribeOptions,
  errors: MillraceError[],
): { readonly handle: Of; readonly definition: Definition }[] {
  const found = new Map<string, Of>();
  const loaded: { readonly handle: Of; readonly definition: Definition }[] = [];
  for (const handle of handles) {
    const other = handle && found.get(handle.name);
    if (!handle || other === handle) continue;
    if (other) {
      errors.push(duplicateName(other, handle, words, options.root));
      continue;
    }
    found.set(handle.name, handle);
    try {
      loaded.push({ handle, definition: handle.describe(options) });
    } catch (error) {
      if (errorCodeOf(error) === undefined) throw error;
      errors.push(error as MillraceError);
    }
  }
  return loaded;
}

function duplicateName(
  first: Handle<unknown>,
  second: Handle<unknown>,
  { code, one, many, advice = "Rename one of them." }: KindWords,
  root: string | undefined,
): MillraceError {
  const source = locate(second.mark, root);
  const places = `${formatSource(locate(first.mark, root))} and ${formatSource(source)}`;
  return new MillraceError(code, {
    message: `Two ${many} have the name "${second.name}": ${places}.`,
    advice,
    fields: { [one]: second.name },
    ...(source ? { source } : {}),
  });
}
