import {
  about,
  closed,
  flag,
  integer,
  list,
  mapOf,
  named,
  object,
  oneOf,
  sha256,
  storable,
  text,
  time,
  typed,
  type TypeOf,
} from "../shape.ts";
import { projectDefinition } from "./definition.ts";
import { bytes, operation, paging, textParameter } from "./operation.ts";
import { blobReference, page, positive } from "./parts.ts";

export const bundleManifest = about(
  "A bundle's manifest; its hash is the sha256 (hex) of the canonical JSON of the manifest without `hash`.",
  named(
    "BundleManifest",
    object({
      hash: text,
      formatVersion: typed<1>(positive),
      project: text,
      codeHash: about("sha256 (hex) of the code and of the source map.", text),
      mapHash: text,
      codeBytes: integer(0),
      externals: about("Packages that stay outside (native code), with exact versions.", mapOf(text)),
      platform: about("`${process.platform}-${process.arch}` when there are externals, else `any`.", text),
      nodeMajor: integer(0),
      projectRoot: about(
        "Where externals are resolved from on the machine that made the bundle: a worker elsewhere ignores it.",
        text,
      ),
    }),
  ),
);
export type BundleManifest = TypeOf<typeof bundleManifest>;

export const spentSchedule = named(
  "SpentSchedule",
  object({ pipeline: text, last: about("Its last instant (ISO 8601).", text) }),
);
export type SpentSchedule = TypeOf<typeof spentSchedule>;

export const namesDifference = named(
  "NamesDifference",
  object({ added: list(text), changed: list(text), unchanged: list(text), retired: list(text) }),
);
export type NamesDifference = TypeOf<typeof namesDifference>;

export const deployResponse = named(
  "DeployResponse",
  object(
    {
      project: text,
      deployment: integer(0),
      dryRun: flag,
      added: list(text),
      changed: list(text),
      unchanged: list(text),
      retired: list(text),
    },
    {
      pausedTriggers: about(
        "Those whose triggers are new and begin paused; absent where there are none.",
        list(text),
      ),
      spentSchedules: about(
        "Schedules in triggers whose instants are all over, so that no tick of them is to come; absent where there are none.",
        list(spentSchedule),
      ),
      webhooks: about(
        "The same of webhooks; absent where the project has none and had none.",
        namesDifference,
      ),
      assets: about("The same of assets.", namesDifference),
      sources: about("The same of sources.", namesDifference),
      eventTypes: about("The same of declared event types.", namesDifference),
    },
  ),
);
export type DeployResponse = TypeOf<typeof deployResponse>;

export const deploymentView = named(
  "DeploymentView",
  object({
    project: text,
    deployment: integer(0),
    bundle: text,
    active: flag,
    createdAt: time,
    pipelines: list(text),
  }),
);
export type DeploymentView = TypeOf<typeof deploymentView>;

export const bundleUpload = named(
  "BundleUpload",
  object({ manifest: bundleManifest, code: text, map: text }),
);
export type BundleUpload = TypeOf<typeof bundleUpload>;

export const deployRequest = named(
  "DeployRequest",
  closed(
    object(
      { bundle: sha256, definition: projectDefinition },
      {
        dryRun: flag,
        newTriggers: about(
          "Pipelines whose triggers are new begin paused, until an operator resumes them.",
          oneOf("paused"),
        ),
      },
    ),
  ),
);
export type DeployRequest = TypeOf<typeof deployRequest>;

export const rollbackRequest = named(
  "RollbackRequest",
  closed(
    object({ project: storable }, { deployment: about("Absent: the one before the active one.", positive) }),
  ),
);
export type RollbackRequest = TypeOf<typeof rollbackRequest>;

export const deploymentOperations = {
  putBundle: operation({
    method: "PUT",
    path: "/bundles/:hash",
    summary: "Uploads a bundle; repeating it changes nothing",
    body: bundleUpload,
    answer: object({ hash: text }),
  }),
  getBundle: operation({
    method: "GET",
    path: "/bundles/:hash",
    summary: "A bundle with its code",
    answer: bundleUpload,
  }),
  hasBundle: operation({ method: "HEAD", path: "/bundles/:hash", summary: "Whether a bundle is there" }),
  putBlob: operation({
    method: "PUT",
    path: "/blobs/:hash",
    summary: "Stores bytes under their SHA-256",
    answer: blobReference,
  }),
  getBlob: operation({
    method: "GET",
    path: "/blobs/:hash",
    summary: "The bytes of a stored value",
    answersWith: bytes,
  }),
  deploy: operation({
    method: "POST",
    path: "/deployments",
    summary: "Replaces a project's definitions",
    body: deployRequest,
    answer: deployResponse,
  }),
  listDeployments: operation({
    method: "GET",
    path: "/deployments",
    summary: "Deployments, newest first",
    query: { project: textParameter("of this project"), ...paging },
    answer: page(deploymentView),
  }),
  rollBack: operation({
    method: "POST",
    path: "/deployments/rollback",
    summary: "Makes an earlier deployment the active one",
    body: rollbackRequest,
    answer: deployResponse,
  }),
} as const;
