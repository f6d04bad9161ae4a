/** What the server tells of the demo: firings, runs and answers, as its API has them. */
import type { DemoServer } from "./server.ts";

export interface Run {
  readonly id: string;
  readonly state: string;
  readonly endedAt?: string;
  readonly output?: unknown;
}

export interface Firing {
  readonly pipeline: string;
  readonly revision: number;
  /** Milliseconds since 1970. */
  readonly occurrence: number;
  readonly at: string;
  readonly key?: string;
  readonly partition?: string;
  readonly runId?: string;
}

export interface Approval {
  readonly id: string;
  readonly run: string;
  readonly title?: string;
  readonly by?: readonly string[];
  readonly since: string;
  readonly answer?: { readonly approved: boolean; readonly by: string; readonly at: string };
}

/** A firing of a pipeline, and the run that it started. */
export interface Started {
  readonly firing: Firing;
  readonly run: Run;
}

export interface Observation {
  /** The oldest first. */
  readonly published: readonly Started[];
  readonly silences: readonly Started[];
  readonly reports: readonly Started[];
  /** The run of `flights` that the report called. */
  readonly calledRun?: Run;
  readonly landed: readonly Started[];
  readonly read: readonly Started[];
  readonly asked: readonly Approval[];
  /** Partitions of `flights/hours` that were written. */
  readonly hoursPresent: number;
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

/** The run with what it gave. */
export async function readRun(server: DemoServer, id: string): Promise<Run> {
  return (await server.get<{ readonly run: Run }>(`/runs/${id}`)).run;
}

/** What a pipeline's trigger fired, the oldest first. */
export async function readFirings(server: DemoServer, pipeline: string): Promise<readonly Firing[]> {
  const firings: Firing[] = [];
  for (let cursor = ""; ;) {
    const path = `/triggers/${pipeline}/firings?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = await server.get<Page<Firing>>(path);
    firings.push(...page.items);
    if (page.nextCursor === undefined) return firings.toReversed();
    cursor = page.nextCursor;
  }
}

/** Firings whose runs have begun, with their runs. */
export async function readStarted(server: DemoServer, pipeline: string): Promise<readonly Started[]> {
  const firings = await readFirings(server, pipeline);
  const begun = firings.filter(({ runId }) => runId !== undefined);
  return Promise.all(begun.map(async (firing) => ({ firing, run: await readRun(server, firing.runId!) })));
}

export async function openApprovals(server: DemoServer): Promise<readonly Approval[]> {
  return (await server.get<Page<Approval>>("/approvals?pipeline=publish-days")).items;
}

export async function readApproval(server: DemoServer, id: string): Promise<Approval> {
  return server.get<Approval>(`/approvals/${encodeURIComponent(id)}`);
}

/** Answers as a person does who calls the API. */
export async function approve(server: DemoServer, id: string, by: string): Promise<void> {
  await server.post(`/approvals/${encodeURIComponent(id)}`, {
    approved: true,
    by,
    note: "one late flight: fine",
  });
}

/** Everything, once all has happened. `asked` are the ids of the approvals that were seen. */
export async function observe(server: DemoServer, asked: readonly string[]): Promise<Observation> {
  const hours = await server.get<{ readonly partitions?: { readonly present: number } }>(
    "/assets/flights%2Fhours",
  );
  const {
    items: [calledRun],
  } = await server.get<Page<Run>>("/runs?pipeline=flights&limit=1");
  return {
    published: await readStarted(server, "publish-days"),
    silences: await readStarted(server, "missing-feed"),
    reports: await readStarted(server, "asked-report"),
    landed: await readStarted(server, "land-hours"),
    read: await readStarted(server, "read-hours"),
    asked: await Promise.all(asked.map((id) => readApproval(server, id))),
    ...(calledRun && { calledRun }),
    hoursPresent: hours.partitions?.present ?? 0,
  };
}
