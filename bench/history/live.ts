/** What is under way beside a long history, made as users make it: by the API. */
import { startChild } from "../parts/child.ts";
import type { Stack, ServerChild } from "../parts/stack.ts";
import type { HistorySizes } from "./project.ts";

const clients = 16;
const batch = 1_000;
const settleMs = 60_000;

/** Runs that wait for events, for people, for a worker and for each other; and keys of which half has come. */
export async function makeLive(stack: Stack, server: ServerChild, { live }: HistorySizes): Promise<void> {
  const submitter = startChild(new URL("../parts/submit-process.ts", import.meta.url));
  const few = Math.ceil(live / 4);
  const submit = (pipeline: string, count: number): Promise<unknown> =>
    submitter.ask({ url: server.url, pipeline, clients, from: 0, count });
  try {
    await submit("waiting", live);
    await submit("approving", few);
    await submit("load-5", few);
    await submit("queueing", few);
  } finally {
    await submitter.stop();
  }
  for (let at = 0; at < live; at += batch) {
    const events = Array.from({ length: Math.min(batch, live - at) }, (_, index) => ({
      specversion: "1.0",
      id: `pair-${at + index}`,
      source: "/bench",
      type: "pair.left",
      data: { key: `key-${at + index}` },
    }));
    await server.api.send("POST", "/events", events, "application/cloudevents-batch+json");
  }
  await settled(stack, { waits: live + few + 1, keys: live });
}

async function settled(
  stack: Stack,
  wanted: { readonly waits: number; readonly keys: number },
): Promise<void> {
  const until = performance.now() + settleMs;
  for (;;) {
    const [row] = await stack.query<{ waits: number; keys: number }>(
      `select (select count(*) from wait)::integer as waits,
        (select count(*) from trigger_key where pipeline = 'paired')::integer as keys`,
    );
    if (row!.waits >= wanted.waits && row!.keys >= wanted.keys) return;
    if (performance.now() > until)
      throw new Error(
        `what is under way is not there yet: ${JSON.stringify(row)} of ${JSON.stringify(wanted)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** As many deployments as a team makes in a year: the one that counts is the last. */
export async function makeDeployments(stack: Stack, { deployments }: HistorySizes): Promise<void> {
  await stack.query(`with moved as (
      update deployment set number = number + ${deployments} where workspace = 1 and project = 'bench' and active
      returning workspace, project, number, bundle, definition, pipelines, created_at
    ), pipelines as (
      update pipeline set deployment = deployment + ${deployments} where workspace = 1 and project = 'bench'
    )
    insert into deployment (workspace, project, number, bundle, definition, pipelines, active, created_at)
    select workspace, project, n, bundle, definition, pipelines, false, created_at - (number - n) * interval '8 hours'
    from moved, generate_series(1, ${deployments}) as n`);
}
