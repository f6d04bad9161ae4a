import { errorCodeOf, MillraceError, nearestName } from "@millrace/core";
import type { ApprovalView } from "@millrace/protocol";
import type { ApiClient } from "./client.ts";

/** A shortened id is looked for among this many of the open ones. */
const openMax = 1_000;
/** And then among so many of the newest that anybody was asked for: who comes too late learns by whom. */
const askedMax = 200;

/**
 * The approval that was named: whole, or by the beginning of its id (its run's) when that means one; of those that are over
 * only where none is open. Throws MILLRACE_APPROVAL_UNKNOWN with the nearest.
 */
export async function findApproval(client: ApiClient, given: string): Promise<ApprovalView> {
  if (given.includes("/")) {
    try {
      return await client.get(approvalPath(given));
    } catch (error) {
      if (errorCodeOf(error) !== "MILLRACE_APPROVAL_UNKNOWN") throw error;
    }
  }
  const open = await client.list("/approvals", {}, openMax);
  const meant = open.filter(({ id }) => id.startsWith(given));
  const [only] = meant;
  if (only && meant.length === 1) return only;
  if (!only) {
    const over = await askedBefore(client, given);
    if (over !== undefined) return client.get(approvalPath(over));
  }
  const ids = meant.map(({ id }) => id);
  throw new MillraceError("MILLRACE_APPROVAL_UNKNOWN", {
    message:
      meant.length > 1
        ? `${meant.length} approvals begin with \`${given}\`: ${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ", …" : ""}.`
        : `Nothing that waits for an answer is called \`${given}\`.`,
    ...adviceFor(given, meant, open),
  });
}

async function askedBefore(client: ApiClient, given: string): Promise<string | undefined> {
  const asked = await client.list("/events", { type: "millrace.approval.requested" }, askedMax);
  const ids = asked.flatMap(({ event: { subject } }) =>
    subject?.startsWith(given) === true ? [subject] : [],
  );
  return ids.length === 1 ? ids[0] : undefined;
}

function adviceFor(
  given: string,
  meant: readonly ApprovalView[],
  open: readonly ApprovalView[],
): { advice?: string } {
  if (meant.length > 1) return { advice: "Write more of its id." };
  const ids = open.map(({ id }) => id);
  const near =
    nearestName(given, ids) ??
    nearestName(
      given,
      open.map(({ run }) => run),
    ) ??
    ids.find((id) => id.includes(given));
  if (near !== undefined) return { advice: `Did you mean \`${near}\`?` };
  return open.length === 0 ? { advice: "Nothing waits for an answer now." } : {};
}

export function approvalPath(id: string): `/approvals/${string}` {
  return `/approvals/${encodeURIComponent(id)}`;
}
