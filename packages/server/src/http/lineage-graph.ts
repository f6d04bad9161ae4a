/** What is tied to what, as a graph: what the definitions say, and what the log has seen lately. */
import { describeSchedule, operandsOf, type Condition, type Where } from "@millrace/core";
import type { LineageEdge, LineageKind, LineageNode, LineageTie, LineageView } from "@millrace/protocol";
import type { AssetUser, DeployedAsset, PipelineTies, TypeSource } from "@millrace/store";

type EventAtom = Extract<Condition, { readonly kind: "event" }>;

export function lineageId(kind: LineageKind, name: string): string {
  return `${kind} ${name}`;
}

/** What a source of events stands for. */
export function tellerOf(source: string): { readonly kind: LineageKind; readonly name: string } {
  const [, place, rest = ""] = /^\/(hooks|sources|pipelines)\/(.+)$/.exec(source) ?? [];
  if (place === "hooks") return { kind: "webhook", name: rest };
  if (place === "sources") return { kind: "source", name: rest };
  // Of a task: `/pipelines/NAME/NODE`.
  if (place === "pipelines") return { kind: "pipeline", name: rest.split("/")[0] ?? rest };
  return { kind: "outside", name: source };
}

interface Facts {
  readonly assets: readonly DeployedAsset[];
  readonly users: readonly AssetUser[];
  readonly pipelines: readonly PipelineTies[];
  readonly tellers: readonly TypeSource[];
  /** Who told of assets that no run updated last. */
  readonly reporters: readonly { readonly asset: string; readonly source: string }[];
  readonly webhooks: readonly string[];
  readonly sources: readonly string[];
  /** What is known of an asset besides. */
  readonly about: (asset: string) => Pick<LineageNode, "freshness" | "updatedAt">;
}

export class LineageGraph {
  readonly #nodes = new Map<string, LineageNode>();
  readonly #edges = new Map<string, { from: string; to: string; ties: Set<LineageTie> }>();
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
    const { assets, users, pipelines, tellers, reporters, webhooks, sources } = facts;
    for (const { definition } of assets) this.#node("asset", definition.name);
    for (const { pipeline, direction, asset } of users)
      if (direction === "write") this.#tie(["pipeline", pipeline], ["asset", asset], "writes");
      else this.#tie(["asset", asset], ["pipeline", pipeline], "reads");
    for (const ties of pipelines) this.#pipeline(ties);
    for (const { type, source } of tellers) {
      const { kind, name } = tellerOf(source);
      // What was watched or deployed once, and is no more, is told of all the same.
      this.#tie([kind, name], ["event", type], "tells");
    }
    for (const { asset, source } of reporters) {
      const { kind, name } = tellerOf(source);
      if (kind !== "pipeline") this.#tie([kind, name], ["asset", asset], "tells");
    }
    for (const name of webhooks) this.#node("webhook", name);
    for (const name of sources) this.#node("source", name);
    this.#declared();
  }

  has(id: string): boolean {
    return this.#nodes.has(id);
  }

  names(kind: LineageKind): string[] {
    return [...this.#nodes.values()].filter((node) => node.kind === kind).map(({ name }) => name);
  }

  /** What leads into it and comes of it, `depth` ties away at most, the nearest first. */
  around(id: string, depth: number, limit: number): LineageView {
    const found = new Set([id]);
    const edges = [...this.#edges.values()];
    const [before, after] = [Map.groupBy(edges, ({ to }) => to), Map.groupBy(edges, ({ from }) => from)];
    let isCut = false;
    let [up, down] = [[id], [id]];
    const step = (
      from: readonly string[],
      ties: typeof before,
      other: (edge: LineageEdgeOf) => string,
    ): string[] => {
      const next = new Set<string>();
      for (const one of from)
        for (const edge of ties.get(one) ?? []) {
          const name = other(edge);
          if (found.has(name) || next.has(name)) continue;
          if (found.size + next.size >= limit) isCut = true;
          else next.add(name);
        }
      for (const name of next) found.add(name);
      return [...next];
    };
    for (let at = 0; at < depth && (up.length > 0 || down.length > 0); at += 1) {
      up = step(up, before, ({ from }) => from);
      down = step(down, after, ({ to }) => to);
    }
    return this.#view(found, isCut);
  }

  /** All that is tied to something, and all assets: as many as there is room for. */
  whole(limit: number): LineageView {
    const tied = new Set([...this.#edges.values()].flatMap(({ from, to }) => [from, to]));
    const wanted = [...this.#nodes.values()].filter(
      ({ id, kind }) => tied.has(id) || kind === "asset" || kind === "webhook" || kind === "source",
    );
    return this.#view(new Set(wanted.slice(0, limit).map(({ id }) => id)), wanted.length > limit);
  }

  #view(found: ReadonlySet<string>, isCut: boolean): LineageView {
    const edges: LineageEdge[] = [];
    for (const { from, to, ties } of this.#edges.values())
      if (found.has(from) && found.has(to)) edges.push({ from, to, ties: [...ties].sort() });
    const nodes = [...found].map((id) => this.#nodes.get(id)).filter((node) => node !== undefined);
    return { nodes, edges, ...(isCut ? { isCut: true } : {}) };
  }

  #node(kind: LineageKind, name: string): string {
    const id = lineageId(kind, name);
    if (!this.#nodes.has(id))
      this.#nodes.set(id, { id, kind, name, ...(kind === "asset" ? this.#facts.about(name) : {}) });
    return id;
  }

  #tie(
    [fromKind, fromName]: readonly [LineageKind, string],
    [toKind, toName]: readonly [LineageKind, string],
    tie: LineageTie,
  ): void {
    const [from, to] = [this.#node(fromKind, fromName), this.#node(toKind, toName)];
    if (from === to) return;
    const id = `${from}\n${to}`;
    const edge = this.#edges.get(id) ?? { from, to, ties: new Set() };
    edge.ties.add(tie);
    this.#edges.set(id, edge);
  }

  #pipeline({ pipeline, paused, condition, calls }: PipelineTies): void {
    const id = this.#node("pipeline", pipeline);
    const schedules: string[] = [];
    for (const atom of condition ? atomsIn(condition) : [])
      switch (atom.kind) {
        case "schedule":
          schedules.push(describeSchedule(atom.schedule));
          break;
        case "event":
          this.#starts(atom, pipeline);
          break;
        case "updated":
        case "reached":
          for (const { asset } of atom.assets) this.#tie(["asset", asset], ["pipeline", pipeline], "starts");
          break;
        default:
      }
    for (const called of calls) this.#tie(["pipeline", pipeline], ["pipeline", called], "calls");
    this.#nodes.set(id, {
      ...this.#nodes.get(id)!,
      ...(schedules.length > 0 ? { schedule: schedules.join("; ") } : {}),
      ...(paused ? { paused: true } : {}),
    });
  }

  #starts({ type, where, probe }: EventAtom, pipeline: string): void {
    if (probe) return this.#tie(["probe", probe.name], ["pipeline", pipeline], "starts");
    if (!isOwnType(type)) {
      // Where a filter names who tells, the type says less than that.
      const source = equalIn(where, "source");
      const { kind, name } = source === undefined ? { kind: "event" as const, name: type } : tellerOf(source);
      return this.#tie([kind, name], ["pipeline", pipeline], "starts");
    }
    if (!/^millrace\.(?:run|node)\./.test(type)) return undefined;
    // `on.finished` names the pipeline, or one of its nodes.
    const subject = equalIn(where, "subject");
    const names = this.#facts.pipelines.map((one) => one.pipeline);
    const ended = names.find((name) => name === subject || subject?.startsWith(`${name}/`));
    if (ended !== undefined) this.#tie(["pipeline", ended], ["pipeline", pipeline], "starts");
    return undefined;
  }

  /** What an asset says it is made of, where no pipeline leads from the one to the other. */
  #declared(): void {
    const edges = [...this.#edges.values()];
    const into = Map.groupBy(edges, ({ to }) => to);
    for (const { definition } of this.#facts.assets)
      for (const { asset } of definition.upstream ?? []) {
        const [from, to] = [lineageId("asset", asset), lineageId("asset", definition.name)];
        const isDrawn = (into.get(to) ?? []).some((edge) =>
          (into.get(edge.from) ?? []).some((earlier) => earlier.from === from),
        );
        if (!isDrawn) this.#tie(["asset", asset], ["asset", definition.name], "made of");
      }
  }
}

interface LineageEdgeOf {
  readonly from: string;
  readonly to: string;
}

/** Types of events from outside that conditions listen to. */
export function eventTypesIn(pipelines: readonly PipelineTies[]): string[] {
  const types = pipelines.flatMap(({ condition }) =>
    condition
      ? atomsIn(condition).flatMap((atom) =>
          atom.kind === "event" && !isOwnType(atom.type) && atom.type !== "*" ? [atom.type] : [],
        )
      : [],
  );
  return [...new Set(types)].sort();
}

function atomsIn(condition: Condition): Condition[] {
  const operands = operandsOf(condition);
  return operands.length === 0 ? [condition] : operands.flatMap(atomsIn);
}

/** What an attribute must be for the filter to hold, where it says so. */
function equalIn(where: Where | undefined, attribute: string): string | undefined {
  if (!where) return undefined;
  if (where.op === "and")
    return where.of.map((part) => equalIn(part, attribute)).find((value) => value !== undefined);
  const isMeant = where.op === "eq" && where.path.length === 1 && where.path[0] === attribute;
  return isMeant && typeof where.value === "string" ? where.value : undefined;
}

function isOwnType(type: string): boolean {
  return type.startsWith("millrace.");
}
