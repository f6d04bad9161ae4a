import { describe, expect, it } from "vitest";
import type {
  BundleUpload,
  CancelRequest,
  DeployRequest,
  MarkRequest,
  RerunRequest,
  RollbackRequest,
  Shape,
  StartRunRequest,
} from "../src/index.ts";
import { operations } from "../src/api/at-run-time.ts";

const hash = "a".repeat(64);

/** Each has every member of its type, which the compiler checks. */
const whole: readonly (readonly [name: string, shape: Shape, value: object])[] = [
  [
    "StartRunRequest",
    operations.startRun.body,
    {
      pipeline: "p",
      params: { day: 1 },
      labels: { a: "b" },
      partition: "2026-01-01",
      idempotencyKey: "k",
      force: true,
    } satisfies Required<StartRunRequest>,
  ],
  ["CancelRequest", operations.cancelRun.body, { node: "a", item: "0" } satisfies Required<CancelRequest>],
  [
    "RerunRequest",
    operations.rerunRun.body,
    { scope: "nodes", nodes: ["a"], sameBundle: true, preview: true } satisfies Required<RerunRequest>,
  ],
  [
    "MarkRequest",
    operations.markRun.body,
    { node: "a", item: "", state: "skipped", output: null, preview: true } satisfies Required<MarkRequest>,
  ],
  [
    "RollbackRequest",
    operations.rollBack.body,
    { project: "x", deployment: 1 } satisfies Required<RollbackRequest>,
  ],
  [
    "DeployRequest",
    operations.deploy.body,
    {
      bundle: hash,
      definition: { project: "x", pipelines: [], pools: {}, queues: [] },
      dryRun: false,
      newTriggers: "paused",
    } satisfies Required<DeployRequest>,
  ],
  [
    "BundleUpload",
    operations.putBundle.body,
    {
      manifest: {
        hash,
        formatVersion: 1,
        project: "x",
        codeHash: hash,
        mapHash: hash,
        codeBytes: 1,
        externals: {},
        platform: "any",
        nodeMajor: 24,
        projectRoot: "",
      },
      code: "",
      map: "",
    } satisfies Required<BundleUpload>,
  ],
];

describe("schemas of requests", () => {
  it.each(whole)("%s has the members of its type and no other", (_name, shape, value) => {
    expect(shape.check(value)).toBeUndefined();
    const properties = Object.keys(shape.schema["properties"] as object);
    expect(properties.toSorted()).toEqual(Object.keys(value).toSorted());
  });

  it("name the place of what is wrong, deep in a definition", () => {
    const pipeline = { name: "p", tags: [], paused: false, nodes: [{ id: "a" }], regions: [] };
    const definition = { project: "x", pipelines: [pipeline], pools: {}, queues: [] };
    expect(operations.deploy.body.check({ bundle: hash, definition })).toMatchObject({
      path: "/definition/pipelines/0/nodes/0/kind",
    });
    expect(operations.startRun.body.check({ pipeline: "p", param: 1 })).toMatchObject({ path: "/param" });
  });
});
