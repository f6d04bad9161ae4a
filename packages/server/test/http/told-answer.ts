/** Holds each answer that a test sees against what its operation says: the document and the types of clients come from that. */
import type { Operation } from "@millrace/protocol";
import { operations, problem } from "@millrace/protocol/operations";

const all: readonly Operation[] = Object.values(operations);

export function requireToldAnswer(
  method: string,
  path: string,
  { status, body }: { readonly status: number; readonly body: unknown },
): void {
  const [own = "", query = ""] = path.split("?");
  if (new URLSearchParams(query).get("fields")) return;
  const operation = all
    .filter((one) => one.method === method && patternOf(one).test(own))
    // Words come before parts that may be anything.
    .toSorted((a, b) => a.path.split(":").length - b.path.split(":").length)[0];
  const shape = status >= 400 ? problem : operation?.answer;
  if (status < 400 && operation?.preview?.check(body) === undefined && operation?.preview) return;
  const fault = method === "HEAD" || status === 304 ? undefined : shape?.check(body);
  if (!fault) return;
  throw new Error(
    `${method} ${path} answered ${status}, and at "${fault.path}" it is not what the operation says: expected ${fault.expected}, in ${JSON.stringify(body).slice(0, 2_000)}`,
  );
}

function patternOf({ path }: Operation): RegExp {
  return new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`);
}
