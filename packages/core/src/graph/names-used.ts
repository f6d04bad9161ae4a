/**
 * The names of assets and pipelines that a pipeline uses: what its trigger and its waits listen to, what its nodes write, read and
 * call. Which there are is known to a deploy alone, as another project may have them (`docs/design/triggers.md`).
 */
import { assetsIn } from "../asset/uses.ts";
import type { Condition } from "../condition/condition.ts";
import type { ErrorCode } from "../error/catalogue.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { conditionOfWait, pipelinesAskedOf } from "../event/run-news.ts";
import { nearestName } from "../nearest-name.ts";
import type { NodeDefinition, PipelineDefinition, SourceLocation } from "./definition.ts";

export interface NameUse {
  readonly kind: "asset" | "pipeline";
  readonly name: string;
  /** With a pipeline: the node of it that is meant. */
  readonly node?: string;
  /** What uses it, and how: `The node "a" of "p" writes the asset`. */
  readonly what: string;
  readonly fields: { readonly [name: string]: string };
  readonly source?: SourceLocation;
}

/** Which names there are. */
export interface KnownNames {
  readonly assets: ReadonlySet<string>;
  readonly pipelines: ReadonlySet<string>;
}

export function namesUsed(pipeline: PipelineDefinition): NameUse[] {
  const { name, trigger } = pipeline;
  const own = { fields: { pipeline: name }, ...sourceOf(pipeline) };
  const ofTrigger = trigger
    ? listenedTo(trigger.condition, own, {
        asset: `The trigger of "${name}" waits for the asset`,
        pipeline: `The condition of "${name}" is on runs of the pipeline`,
      })
    : [];
  return [...ofTrigger, ...pipeline.nodes.flatMap((node) => usedBy(node, name))];
}

function usedBy(node: NodeDefinition, pipeline: string): NameUse[] {
  const who = `The node "${node.id}" of "${pipeline}"`;
  const own = { fields: { pipeline, node: node.id }, ...sourceOf(node) };
  const asset = (does: string, name: string): NameUse => ({
    kind: "asset",
    name,
    what: `${who} ${does} the asset`,
    ...own,
    fields: { ...own.fields, asset: name },
  });
  const condition = conditionOfWait(node);
  return [
    ...(node.writes ?? []).map((name) => asset("writes", name)),
    ...(node.reads ?? []).map((name) => asset("reads", name)),
    ...(node.calls === undefined ? [] : [called(node.calls)]),
    ...(condition
      ? listenedTo(condition, own, {
          asset: `${who} waits for the asset`,
          pipeline: `${who} waits for runs of the pipeline`,
        })
      : []),
  ];

  function called(name: string): NameUse {
    const fields = { ...own.fields, calls: name };
    return { kind: "pipeline", name, what: `${who} calls the pipeline`, ...own, fields };
  }
}

function listenedTo(
  condition: Condition,
  own: Pick<NameUse, "fields" | "source">,
  what: { readonly asset: string; readonly pipeline: string },
): NameUse[] {
  const assets = Array.from(assetsIn(condition), (name): NameUse => ({
    kind: "asset",
    name,
    what: what.asset,
    ...own,
    fields: { ...own.fields, asset: name },
  }));
  const pipelines = pipelinesAskedOf(condition).map(({ pipeline: name, node }): NameUse => ({
    kind: "pipeline",
    name,
    ...(node === undefined ? {} : { node }),
    what: what.pipeline,
    ...own,
    fields: { ...own.fields, asked: name },
  }));
  return [...assets, ...pipelines];
}

/** Throws MILLRACE_ASSET_UNKNOWN or MILLRACE_PIPELINE_UNKNOWN, with the nearest name. */
export function requireKnown(use: NameUse, known: KnownNames): void {
  const names = use.kind === "asset" ? known.assets : known.pipelines;
  if (names.has(use.name)) return;
  const [code, lack, advice] = refusals[use.kind];
  throw new MillraceError(code, {
    message: `${use.what} "${use.name}", ${lack}.${didYouMean(use.name, names)}`,
    advice: `${advice(use.name)} If another project has it, deploy that one first.`,
    fields: use.fields,
    ...sourceOf(use),
  });
}

const refusals = {
  asset: [
    "MILLRACE_ASSET_UNKNOWN",
    "which no project declares",
    (name: string) =>
      `Declare it with asset(${JSON.stringify(name)}, …) and export it from one of the project's files.`,
  ],
  pipeline: [
    "MILLRACE_PIPELINE_UNKNOWN",
    "which does not exist",
    () => "List the names with `millrace pipelines`.",
  ],
} as const satisfies {
  readonly [kind in NameUse["kind"]]: readonly [ErrorCode, string, (name: string) => string];
};

/** For who knows one project only: what it uses and does not have itself, as sentences. */
export function foreignNames(pipeline: PipelineDefinition, own: KnownNames): string[] {
  const told = namesUsed(pipeline).flatMap(({ kind, name, what }) => {
    const names = kind === "asset" ? own.assets : own.pipelines;
    if (names.has(name)) return [];
    const lack =
      kind === "asset" ? "which no file of this project exports" : "which this project does not have";
    return [`${what} "${name}", ${lack}: another one must have it.${didYouMean(name, names)}`];
  });
  return [...new Set(told)];
}

function didYouMean(name: string, names: ReadonlySet<string>): string {
  const near = nearestName(name, names);
  return near === undefined ? "" : ` Did you mean "${near}"?`;
}

function sourceOf(part: { readonly source?: SourceLocation }): { readonly source?: SourceLocation } {
  return part.source === undefined ? {} : { source: part.source };
}
