/**
 * Names of what is told of assets, equal for equal tellings (N1): a retry, a repeat, and what a success tells by itself all
 * name one update alike.
 */
import { fnv1a64 } from "../condition/where/key-hash.ts";
import { eventIdMax } from "../limits.ts";

/** Characters of the part that says what is told. */
const nameMax = 120;

export interface TaskRunName {
  readonly runId: string;
  readonly item: string;
  readonly generation: number;
}

/** What is told, as a part of an id: the kind, the asset and the partition (that of the run where none is named). */
export function assetReportName(what: {
  readonly type: string;
  readonly asset: string;
  readonly partition: string | undefined;
}): string {
  const kind = what.type.slice(what.type.lastIndexOf(".") + 1);
  return shortened(
    `${kind}/${what.asset}${what.partition === undefined ? "" : `/${what.partition}`}`,
    nameMax,
  );
}

/** The id of the first telling of this name in a task run; later ones count on. */
export function assetReportId({ runId, item, generation }: TaskRunName, name: string): string {
  return [runId, ...(item === "" ? [] : [item]), `g${generation}`, name, 1].join("/");
}

/** Where a task emits and reports. */
export function taskSource(pipeline: string, node: string): string {
  return `/pipelines/${encodeURIComponent(pipeline)}/${encodeURIComponent(node)}`;
}

/** The id of Millrace's own entry for what somebody told under this source and id. */
export function assetEntryId(source: string, id: string): string {
  return shortened(`asset ${source} ${id}`, eventIdMax);
}

/** What a name of any length becomes where so many characters have room: a hash stands for its end. */
function shortened(name: string, max: number): string {
  return name.length <= max ? name : `${name.slice(0, max - 17)}~${fnv1a64(name)}`;
}
