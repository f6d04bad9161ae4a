/** Functions never travel: a callback that names a part of the input is run once with a recorder and becomes a path. */
import { MillraceError, type Path } from "@millrace/core";
import type { OptionOwner } from "./options.ts";
import { makeReference, referenceState } from "./reference.ts";
import { formatSource, locate } from "./source.ts";

/** The path that `callback` reads. Anything but property and index access is refused. */
export function recordKeyPath(callback: (input: unknown) => unknown, owner: OptionOwner): Path {
  const recorder = { name: owner.what, root: owner.root };
  const input = makeReference({ owner: recorder, target: { kind: "params", path: [] }, view: undefined });
  let cause: unknown;
  try {
    const state = referenceState(callback(input));
    if (state?.owner === recorder && state.target.kind === "params") return state.target.path;
  } catch (error) {
    cause = error;
  }
  const source = locate(owner.mark, owner.root);
  throw new MillraceError("MILLRACE_OPTION_INVALID", {
    message: `${owner.what}${source ? ` (${formatSource(source)})` : ""}: option "concurrency.key" must read one path of the input.`,
    advice:
      "Write `(input) => input.customer.id`; compute anything else in a task before and pass it in the input.",
    ...(source ? { source } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}
