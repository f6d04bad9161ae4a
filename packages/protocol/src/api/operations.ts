/** All operations of `/api/v1` (and WS `/worker`, the worker protocol), with what clients take from them. */
import { assetOperations } from "./asset.ts";
import { deploymentOperations } from "./deployment.ts";
import { eventPageOperations } from "./event-page.ts";
import { pipelineVersionOperations } from "./pipeline-versions.ts";
import { triggerHistoryOperations } from "./trigger-history.ts";
import { eventOperations } from "./event.ts";
import { lineageOperations } from "./lineage.ts";
import type { AnswerOf, BodyOf, GivenQuery, Operation, PreviewOf } from "./operation.ts";
import { overviewOperations } from "./overview.ts";
import { pipelineOperations } from "./pipeline.ts";
import { probeOperations } from "./probe.ts";
import { runStoryOperations } from "./run-story.ts";
import { runOperations } from "./run.ts";
import { serverOperations } from "./server.ts";
import { projectOperations } from "./project.ts";
import { rateOperations } from "./pace.ts";
import { searchOperations } from "./search.ts";
import { settingOperations } from "./settings.ts";
import { sourceOperations } from "./source.ts";
import { systemOperations } from "./system.ts";
import { triggerOperations } from "./trigger.ts";
import { waitOperations } from "./wait.ts";

export const operations = {
  ...serverOperations,
  ...runOperations,
  ...runStoryOperations,
  ...pipelineOperations,
  ...deploymentOperations,
  ...eventOperations,
  ...eventPageOperations,
  ...pipelineVersionOperations,
  ...triggerHistoryOperations,
  ...sourceOperations,
  ...probeOperations,
  ...triggerOperations,
  ...assetOperations,
  ...lineageOperations,
  ...waitOperations,
  ...overviewOperations,
  ...systemOperations,
  ...rateOperations,
  ...projectOperations,
  ...searchOperations,
  ...settingOperations,
} as const;

type AnyOperation = (typeof operations)[keyof typeof operations];

/** The operation at a path as it is written where it is asked for: `/runs/${id}/logs` is at `/runs/:id/logs`. */
type OperationAt<Method extends Operation["method"], Path extends string> = AnyOperation extends infer One
  ? One extends { readonly method: Method; readonly path: infer Pattern extends string }
    ? IsAt<Path, Pattern> extends true
      ? One
      : never
    : never
  : never;

/** The most particular comes first: a word of the pattern itself counts more than a part of any text. */
type IsAt<Path extends string, Pattern extends string> = Path extends `${infer Step}/${infer Rest}`
  ? Pattern extends `${infer Wanted}/${infer Others}`
    ? IsStep<Step, Wanted> extends true
      ? IsAt<Rest, Others>
      : false
    : false
  : Pattern extends `${string}/${string}`
    ? false
    : IsStep<Path, Pattern>;
type IsStep<Step extends string, Wanted extends string> = Wanted extends `:${string}`
  ? string extends Step
    ? true
    : Step extends Known<Wanted>
      ? false
      : true
  : Step extends Wanted
    ? true
    : false;
/** Words that stand where another pattern has a part: they are that word's. */
type Known<_Wanted extends string> =
  | "simulate"
  | "rollback"
  | "follow"
  | "openapi.json"
  | "runs"
  | "recent"
  | "histogram"
  | "preview";

type At<Method extends Operation["method"], Path extends string> =
  OperationAt<Method, Path> extends infer One extends Operation ? One : never;

/** What is answered at a path; `never` where there is nothing. */
export type AnswerAt<Method extends Operation["method"], Path extends string> = Path extends string
  ? AnswerOf<At<Method, Path>>
  : never;
/** What is answered where the body asks for a preview. */
export type PreviewAt<Path extends string> = Path extends string ? PreviewOf<At<"POST", Path>> : never;
export type QueryAt<Method extends Operation["method"], Path extends string> = Path extends string
  ? GivenQuery<At<Method, Path>>
  : never;
export type BodyAt<Method extends Operation["method"], Path extends string> = Path extends string
  ? BodyOf<At<Method, Path>>
  : never;
/** Items of the list at a path. */
export type ItemAt<Path extends string> =
  AnswerAt<"GET", Path> extends { readonly items: readonly (infer Item)[] } ? Item : never;
export type Operations = typeof operations;
