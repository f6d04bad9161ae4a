import type { Page, RunSummary } from "@millrace/protocol";
import { openHistory } from "./history/open.ts";
import { busy, lattice, seldom } from "./history/project.ts";
import { cpuMs, descendantsCpuMs } from "./parts/processes.ts";
import { resultOf, type Bench } from "./parts/result.ts";
import type { ServerChild } from "./parts/stack.ts";
import { round, summarize } from "./parts/statistics.ts";

const barMs = 50;

interface Measured {
  readonly median: number;
  readonly p99: number;
  /** Of the server and the database, in ms for each answer: on a machine with other work it says more than time. */
  readonly cpu: number;
}

/** The bar: each list answers within 50 ms (99 of 100 times). */
export const lists: Bench = {
  name: "lists",
  measures:
    "lists of the API over a long history (full: 1,000,000 runs of 20 nodes each, over 30 days): from the request to the whole answer, one after the other",
  doesNotMeasure: [
    "a browser (`browser` does)",
    "lists while runs go on",
    "what PostgreSQL has not in its memory",
  ],
  run: async (options) => {
    await using history = await openHistory(options);
    const { stack, server, sizes, made } = history;
    const turns = options.short ? 6 : 100;
    const byPath: { [path: string]: Measured } = {};
    const cpuNow = (): number => cpuMs(server.pid) + descendantsCpuMs(stack.postgres.pid());
    const all: number[] = [];
    for (const [name, path] of Object.entries(await paths(server))) {
      await server.api.send("GET", path);
      const durations: number[] = [];
      const before = cpuNow();
      for (let turn = 0; turn < turns; turn += 1) {
        // It is made for all who ask, four times a second: who asks twice at once waits for the next one.
        if (path === "/overview") await new Promise((resolve) => setTimeout(resolve, 300));
        const from = performance.now();
        await server.api.send("GET", path);
        durations.push(performance.now() - from);
      }
      const { median, p99 } = summarize(durations);
      byPath[name] = { median, p99, cpu: round((cpuNow() - before) / turns) };
      all.push(...durations);
    }
    const slowest = Object.entries(byPath).toSorted(([, a], [, b]) => b.p99 - a.p99);
    const numbers = {
      ...summarize(all),
      runs: sizes.runs,
      taskRuns: sizes.runs * sizes.nodes + sizes.lattice.runs * sizes.lattice.nodes,
      seededSeconds: round(made.seconds),
      megabytes: made.megabytes,
      slowest: { path: slowest[0]![0], ...slowest[0]![1] },
      over: slowest.filter(([, { p99 }]) => p99 > barMs).map(([path]) => path),
      byPath,
    };
    return await resultOf(stack, "lists", numbers, "none: no task runs");
  },
};

/** What pages and scripts ask for: filters that match much, little and nothing, first pages, and some deep in the history. */
async function paths(server: ServerChild): Promise<{ readonly [name: string]: string }> {
  const get = <Answer>(path: string): Promise<Answer> => server.api.send<Answer>("GET", path);
  const found: { [name: string]: string } = {};
  const add = (...given: readonly string[]): void => {
    for (const path of given) found[path] = path;
  };
  /** A page that follows on so many others. */
  const deep = async (path: string, pages: number): Promise<string | undefined> => {
    let cursor: string | undefined;
    for (let at = 0; at < pages; at += 1) {
      const { nextCursor } = await get<Page<unknown>>(withCursor(path, cursor));
      if (nextCursor === undefined) break;
      cursor = nextCursor;
    }
    if (cursor !== undefined) found[`${path}, deep`] = withCursor(path, cursor);
    return cursor;
  };
  const { items } = await get<Page<RunSummary>>(`/runs?pipeline=${busy}&limit=100`);
  const ended = items.find(({ state }) => state === "succeeded")!.id;
  const failed = (await get<Page<RunSummary>>("/runs?state=failed&limit=1")).items[0]!.id;
  const waiting = (await get<Page<RunSummary>>("/runs?pipeline=waiting&limit=1")).items[0]!.id;
  for (const [kind, id] of Object.entries({ ended, failed, waiting }))
    for (const more of [
      "",
      "/nodes",
      "/nodes?state=failed",
      "/logs",
      "/artifacts",
      "/steps",
      "/firing",
      "/firing/members",
      "/assets",
    ])
      if (kind === "ended" || !more.startsWith("/firing/"))
        found[`/runs/:${kind}${more}`] = `/runs/${id}${more}`;

  add(
    "/runs",
    "/runs?limit=1000",
    "/runs?label=team:team-3",
    "/runs?label=team:none",
    "/runs?label=incident:i-77",
  );
  for (const state of [
    "failed",
    "cancelled",
    "succeeded",
    "superseded",
    "running",
    "waiting",
    "queued",
    "quarantined",
  ])
    add(`/runs?state=${state}`);
  for (const name of [busy, "load-7", lattice, seldom, "waiting", "load-5", "none"])
    for (const state of ["", "&state=failed", "&state=running", "&state=waiting"])
      add(`/runs?pipeline=${name}${state}`);
  add(`/runs?pipeline=${busy}&label=team:none`);
  await deep("/runs?limit=1000", 40);
  await deep(`/runs?pipeline=${busy}&limit=1000`, 20);
  await deep("/runs?state=failed&limit=1000", 5);
  await deep("/runs?label=team:none", 10);

  add("/pipelines", "/pipelines?limit=1000", `/pipelines/${busy}`);
  for (const name of [busy, lattice, seldom, "waiting"])
    add(`/pipelines/${name}/grid?limit=50`, `/pipelines/${name}/grid?limit=1000&states=false`);
  await deep(`/pipelines/${lattice}/grid?limit=50`, 10);
  await deep(`/pipelines/${busy}/grid?limit=50`, 20);
  add(`/pipelines/${busy}/versions`, "/deployments", "/deployments?limit=1000", "/deployments?project=none");

  add(
    "/events",
    "/events?limit=1000",
    "/events?type=order.paid",
    "/events?type=order.*",
    "/events?type=order.lost",
    "/events?type=none",
  );
  add(
    "/events?type=millrace.run.failed&limit=1000",
    "/events?subject=order-77",
    "/events?subject=none",
    "/events?source=/shop/7",
  );
  add(
    "/events?source=none",
    "/events?type=order.lost&source=/shop/49",
    "/events?type=order.paid&subject=none",
    "/events?invalid=true",
  );
  add("/events?type=nothing.*", "/events?id=e100002&source=/shop/2", "/events?id=none");
  await deep("/events?limit=1000", 40);
  await deep("/events?type=order.paid&limit=1000", 20);
  const position = (await get<Page<{ position: number }>>("/events?type=order.paid&limit=1")).items[0]!
    .position;
  add(`/events/${position}`, `/events/${position}/firings`, `/events/${position}/waits`);

  add(
    "/triggers",
    `/triggers/${busy}`,
    `/triggers/${busy}/keys`,
    "/triggers/paired/keys?limit=1000",
    "/triggers/paired/keys?after=key-5",
  );
  add(
    `/triggers/${busy}/firings`,
    `/triggers/${busy}/firings?limit=1000`,
    `/triggers/${busy}/firings?key=region-7`,
  );
  add(
    `/triggers/${busy}/firings?key=none`,
    "/triggers/paired/firings",
    `/triggers/${busy}/explain`,
    "/triggers/paired/explain?key=key-77",
  );
  await deep(`/triggers/${busy}/firings?limit=1000`, 20);
  await deep("/triggers/paired/keys?limit=1000", 3);

  add(
    "/waits",
    "/waits?limit=1000",
    "/waits?pipeline=waiting",
    "/waits?pipeline=none",
    "/waits?type=bench.woken",
    "/waits?type=none",
  );
  add("/approvals", "/approvals?limit=1000", "/approvals?pipeline=none", "/approvals?state=answered");
  await deep("/waits?limit=500", 5);
  await deep("/approvals?limit=200", 3);

  add(
    "/assets",
    "/assets?limit=1000",
    "/assets/lake%2Ftable_0",
    "/assets/lake%2Ftable_55",
    "/assets/lake%2Ftable_60",
  );
  for (const at of [0, 55, 60])
    add(`/assets/lake%2Ftable_${at}/cells`, `/assets/lake%2Ftable_${at}/partitions`);
  await deep("/assets/lake%2Ftable_55/partitions?limit=1000", 15);

  add(
    "/schedules",
    "/schedules?limit=1000",
    "/sources",
    "/probes",
    "/webhooks",
    "/workers",
    "/pools",
    "/queues",
    "/limits",
  );
  add(
    "/limits/pipeline/queueing",
    "/overview",
    "/timeline",
    "/timeline?hours=24",
    "/system",
    "/info",
    "/openapi.json",
  );
  return await known(server, found);
}

function withCursor(path: string, cursor: string | undefined): string {
  if (cursor === undefined) return path;
  return `${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
}

/** Without those that this server refuses. */
async function known(
  server: ServerChild,
  found: { readonly [name: string]: string },
): Promise<{ readonly [name: string]: string }> {
  const kept: { [name: string]: string } = {};
  for (const [name, path] of Object.entries(found)) {
    const isKnown = await server.api.send("GET", path).then(
      () => true,
      (error: Error) => {
        console.error(`  not measured: ${error.message.slice(0, 160)}`);
        return false;
      },
    );
    if (isKnown) kept[name] = path;
  }
  return kept;
}
