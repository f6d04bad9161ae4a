/** What looks have logged: kept as logs of attempts are, under the name of their thing. */
import { lookRunId, MillraceError, nearestName, probeId, type Json } from "@millrace/core";
import type { Operations, Page, ProbeLogEntry } from "@millrace/protocol";
import { deployedProbes, probesById } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import type { ApiRequest } from "./route.ts";
import { linePage } from "./run-lists.ts";

/** Days whose logs are gone hold nothing, so an old `since` costs little. */
export async function probeLogPage(
  context: ApiContext,
  request: ApiRequest<Operations["listProbeLogs"]>,
): Promise<Page<ProbeLogEntry>> {
  const ref = { name: request.path.name, args: argsOf(request.query.args) };
  const id = probeId(ref);
  await requireProbe(context, ref.name, id);
  const since = request.query.since ?? context.host.engine.now() - dayMs;
  const filter = {
    runId: lookRunId(id),
    since,
    node: undefined,
    item: undefined,
    attempt: undefined,
    generation: undefined,
  };
  return linePage(context, request, filter, ({ chunk, line }) => ({ ...line, look: chunk.dispatch }));
}

const dayMs = 86_400_000;

/** What is deployed no more has logs as long as its thing is remembered. */
async function requireProbe({ database }: ApiContext, name: string, id: string): Promise<void> {
  const { probes } = await deployedProbes(database, workspaceId);
  const names = probes.map(({ definition }) => definition.name);
  if (names.includes(name) || (await probesById(database, workspaceId, [id])).length > 0) return;
  const near = nearestName(name, names);
  throw new MillraceError("MILLRACE_PROBE_UNKNOWN", {
    message: `No deployed project has a probe ${JSON.stringify(name.slice(0, 100))}.`,
    advice: near === undefined ? "See which there are with `millrace probes`." : `Did you mean \`${near}\`?`,
  });
}

function argsOf(text: string | undefined): Json {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: '"args" in the query must be JSON, for example {"day":"2026-11-27"}.',
    });
  }
}
