/** What is seen of pipelines in a testbed and in a server, in the same words: without ids, positions and times. */
import type {
  ExplanationView,
  FiringDetail,
  FiringView,
  Page,
  ResumePreview,
  RunDetail,
  TriggerExplanation,
} from "@millrace/protocol";
import type { Testbed, TestState } from "millrace/testing";
import type { Api } from "./api.ts";

/** What says how far pipelines have come. */
export interface Progress {
  readonly firings: number;
  /** Those that will wait for their slot are none yet. */
  readonly runs: number;
  readonly endedRuns: number;
}

interface SeenFiring {
  readonly key: string | null;
  readonly revision: number;
  /** Ids of events by operand; of ticks and silences their kind. */
  readonly members: { readonly [operand: string]: readonly string[] };
  readonly state: string;
  readonly reason?: string;
}

interface SeenNode {
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: number;
  readonly output: unknown;
  readonly error: string | null;
}

interface SeenRun {
  readonly state: string;
  readonly reason: string | null;
  readonly output: unknown;
  readonly nodes: { readonly [name: string]: SeenNode };
}

export interface Observation {
  readonly [pipeline: string]: { readonly firings: readonly SeenFiring[]; readonly runs: readonly SeenRun[] };
}

export interface SeenState {
  readonly kind: string;
  readonly name: string | undefined;
  readonly state: string;
  readonly text: string;
  readonly of: readonly SeenState[];
}

export interface SeenExplanation {
  readonly key: string | undefined;
  readonly state: SeenState | undefined;
  readonly verdict: string | undefined;
  readonly text: string | undefined;
}

// --- a testbed ------------------------------------------------------------------------------------------------------

export function observeTestbed(t: Testbed, pipelines: readonly string[]): Observation {
  return Object.fromEntries(
    pipelines.map((name) => [
      name,
      inOrder({
        firings: hasTrigger(t, name)
          ? t.firingsOf(name).map(({ key, revision, members, state, reason }) => ({
              key,
              revision,
              // A firing without a run has no rows of members.
              members:
                state === "refused"
                  ? {}
                  : Object.fromEntries(
                      Object.entries(members)
                        .filter(([, list]) => list.length > 0)
                        .map(([operand, list]) => [operand, list.map(tagOf)]),
                    ),
              state,
              ...(reason ? { reason: neutral(reason.message) } : {}),
            }))
          : [],
        runs: t.runsOf(name).map((run) => {
          const nodes = run.nodes.map(
            ({ id, item, state, reason, attempts, output, error }): [string, SeenNode] => [
              nameOf(id, item),
              {
                state,
                reason: reason ? neutral(reason.message) : null,
                attempts,
                output: neutralValue(output ?? null),
                error: error && attempts > 0 ? `${error.name}: ${neutral(error.message)}` : null,
              },
            ],
          );
          return seenRun(run, run.output, nodes);
        }),
      }),
    ]),
  );
}

export async function explainTestbed(
  t: Testbed,
  pipeline: string,
  asked: { readonly key: string | undefined; readonly event: string | undefined },
): Promise<SeenExplanation> {
  const { key, event } = asked;
  const found =
    event === undefined ? undefined : t.events.find(({ id, source }) => id === event && source === "/test");
  const explained = await t.explain(pipeline, {
    ...(key === undefined ? {} : { key }),
    ...(found === undefined ? {} : { event: found }),
  });
  return {
    key: explained.key,
    state: explained.state && stateOf(explained.state),
    verdict: explained.event?.verdict,
    text: explained.event && neutral(explained.event.text),
  };
}

// --- a server -------------------------------------------------------------------------------------------------------

export async function observeServer(
  api: Api,
  t: Testbed,
  pipelines: readonly string[],
): Promise<Observation> {
  const seen: { [pipeline: string]: Observation[string] } = {};
  for (const name of pipelines) {
    const summaries = await api.runs(`pipeline=${name}`);
    const runs: SeenRun[] = [];
    for (const { id } of summaries.toReversed()) runs.push(runOf(await api.run(id)));
    seen[name] = inOrder({ firings: hasTrigger(t, name) ? await firingsOf(api, name) : [], runs });
  }
  return seen;
}

async function firingsOf(api: Api, pipeline: string): Promise<SeenFiring[]> {
  const { items } = await api.send<Page<FiringView>>("GET", `/triggers/${pipeline}/firings`);
  const firings: SeenFiring[] = [];
  for (const { id } of items.toReversed()) {
    const path = `/triggers/${pipeline}/firings/${encodeURIComponent(id)}`;
    const { key, revision, members, state, reason } = await api.send<FiringDetail>("GET", path);
    const byOperand: { [operand: string]: string[] } = {};
    for (const { operand, event, at } of members)
      (byOperand[operand] ??= []).push(tagOf(event ?? { at: at ?? null }));
    firings.push({
      key: key ?? null,
      revision,
      members: state === "refused" ? {} : byOperand,
      state,
      ...(reason ? { reason: neutral(reason.message) } : {}),
    });
  }
  return firings;
}

function runOf({ run, nodes }: RunDetail): SeenRun {
  return seenRun(
    run,
    run.output,
    nodes.map(({ id, item, state, reason, generation, attempts: all, output }): [string, SeenNode] => {
      const attempts = all.filter((attempt) => attempt.generation === generation);
      const error = state === "failed" ? attempts.at(-1)?.error : undefined;
      return [
        nameOf(id, item),
        {
          state,
          reason: reason ? neutral(reason.message) : null,
          attempts: Math.max(0, ...attempts.map(({ attempt }) => attempt)),
          output: neutralValue(output ?? null),
          error: error ? `${error.name}: ${neutral(error.message)}` : null,
        },
      ];
    }),
  );
}

export async function explainServer(
  api: Api,
  pipeline: string,
  { key, event }: { readonly key: string | undefined; readonly event: string | undefined },
): Promise<SeenExplanation> {
  const query = new URLSearchParams({
    ...(key === undefined ? {} : { key }),
    ...(event === undefined ? {} : { event, source: "/test" }),
  });
  const explained = await api.send<TriggerExplanation>(
    "GET",
    `/triggers/${pipeline}/explain?${query.toString()}`,
  );
  return {
    key: explained.key,
    state: explained.state && stateOf(explained.state),
    verdict: explained.event?.verdict,
    text: explained.event && neutral(explained.event.text),
  };
}

export async function progressOfServer(
  api: Api,
  t: Testbed,
  pipelines: readonly string[],
): Promise<Progress> {
  let [firings, endedRuns, runCount] = [0, 0, 0];
  for (const name of pipelines) {
    if (hasTrigger(t, name))
      firings += (await api.send<Page<FiringView>>("GET", `/triggers/${name}/firings`)).items.length;
    const runs = await api.runs(`pipeline=${name}`);
    runCount += runs.length;
    endedRuns += runs.filter(({ state }) => /succeeded|failed|cancelled|superseded/.test(state)).length;
  }
  return { firings, runs: runCount, endedRuns };
}

export function progressOfTestbed(t: Testbed, pipelines: readonly string[]): Progress {
  const isMeant = (one: { readonly pipeline: string }): boolean => pipelines.includes(one.pipeline);
  return {
    firings: t.firings.filter(isMeant).length,
    runs: t.runs.filter(isMeant).length,
    endedRuns: t.runs.filter((run) => isMeant(run) && run.hasEnded).length,
  };
}

// --- what a resume would do ---------------------------------------------------------------------------------------

interface SeenForeseen {
  readonly key: string | null;
  readonly revision: number;
  readonly members: number;
  readonly outcome: string;
}

export async function foreseenInTestbed(
  t: Testbed,
  pipeline: string,
  options: Parameters<Testbed["previewResume"]>[1],
): Promise<SeenForeseen[]> {
  return (await t.previewResume(pipeline, options)).map(({ key, revision, members, outcome }) => ({
    key,
    revision,
    members: Object.values(members).flat().length,
    outcome,
  }));
}

export async function foreseenInServer(api: Api, pipeline: string, options: object): Promise<SeenForeseen[]> {
  const path = `/pipelines/${pipeline}/resume`;
  const { firings } = await api.send<ResumePreview>("POST", path, { ...options, preview: true });
  return firings.map(({ key = null, revision, memberCount: members, outcome = "starts" }) => ({
    key,
    revision,
    members,
    outcome,
  }));
}

// --- the same words -------------------------------------------------------------------------------------------------

function hasTrigger(t: Testbed, pipeline: string): boolean {
  return t.events.some(({ type, subject }) => type === "millrace.trigger.changed" && subject === pipeline);
}

/** What happens at one instant has no order. */
function inOrder({ firings, runs }: Observation[string]): Observation[string] {
  const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return { firings: firings.toSorted(byText), runs: runs.toSorted(byText) };
}

function nameOf(id: string, item: string): string {
  return item === "" ? id : `${id}[${item}]`;
}

function seenRun(
  run: { readonly state: string; readonly reason?: { readonly message: string } | undefined },
  output: unknown,
  nodes: readonly (readonly [string, SeenNode])[],
): SeenRun {
  return {
    state: run.state,
    reason: run.reason ? neutral(run.reason.message) : null,
    output: neutralValue(output ?? null),
    nodes: Object.fromEntries(nodes.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function tagOf(member: unknown): string {
  const { id } = member as { readonly id?: string };
  return id === undefined ? "time" : neutral(id);
}

function stateOf({ kind, name, state, text, of = [] }: TestState | ExplanationView): SeenState {
  return { kind, name, state, text: neutral(text), of: (of as readonly TestState[]).map(stateOf) };
}

/** Without ids of runs, positions and times. */
function neutral(text: string): string {
  return text
    .replaceAll(/\br(?:\d+|[0-9a-z]{16})\b/g, "RUN")
    .replaceAll(/\bposition \d+/g, "position N")
    .replaceAll(/\bfiring \d+\.\d+\.\d+(?:\.[^\s,]+)?/g, "firing N")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME");
}

function neutralValue(value: unknown): unknown {
  return JSON.parse(neutral(JSON.stringify(value ?? null)).replaceAll(/"position":\d+/g, '"position":0'));
}
