/** What the loader collects. */

/** Marks a definition, also when another copy of this module made it. */
export const definitionBrand: unique symbol = Symbol.for("millrace.definition");

export interface DescribeOptions {
  readonly captureSource: boolean;
  readonly root: string | undefined;
}

/** The handle behind what a module exports, if it is of this kind. */
export function handleOfKind<Handle extends { readonly kind: string }>(
  exported: unknown,
  kind: Handle["kind"],
): Handle | undefined {
  if (exported === null || typeof exported !== "object") return undefined;
  try {
    const handle = (exported as { readonly [definitionBrand]?: Handle })[definitionBrand];
    return handle?.kind === kind ? handle : undefined;
  } catch {
    // A proxy (a client that connects at its first use, say) that throws on unknown properties is no definition.
    return undefined;
  }
}
