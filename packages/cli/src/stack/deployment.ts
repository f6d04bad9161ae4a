/** Brings a project to a server: bundle, describe in the bounded child, upload by hash, activate. */
import { MillraceError, type ProjectDefinition } from "@millrace/core";
import type { DeploymentView, DeployRequest, DeployResponse } from "@millrace/protocol";
import type { ApiClient } from "../api/client.ts";
import { bundleProject, uploadOf, type ProjectBundle } from "../project/bundle.ts";
import { loadConfiguration, type LoadedConfiguration } from "../project/configuration.ts";
import { describeBundle } from "../project/describe.ts";

/** The active one is among the newest, unless somebody rolled far back; then a deploy makes a new one. */
const deploymentsLookedAt = 100;

export interface BundledProject {
  readonly loaded: LoadedConfiguration;
  readonly bundle: ProjectBundle;
}

export interface PreparedProject extends BundledProject {
  readonly definition: ProjectDefinition;
}

/** Called with what was found as soon as it is known, also when a later step fails: for who watches the files. */
export interface PrepareListener {
  readonly onConfiguration?: (loaded: LoadedConfiguration) => void;
  readonly onInputs?: (inputs: readonly string[]) => void;
}

/** Throws what is wrong with the project: the first error, the others in `fields.others`. */
export async function prepareProject(folder: string): Promise<PreparedProject> {
  return describeProject(await buildProject(folder));
}

/** Throws MILLRACE_CONFIG_INVALID or MILLRACE_BUNDLE_FAILED. `known`: the configuration, where its files are as they were. */
export async function buildProject(
  folder: string,
  listener: PrepareListener = {},
  known?: LoadedConfiguration,
): Promise<BundledProject> {
  const loaded = known ?? (await loadConfiguration(folder));
  listener.onConfiguration?.(loaded);
  listener.onInputs?.(loaded.inputs);
  const bundle = await bundleProject(loaded.root, loaded.configuration);
  listener.onInputs?.([...loaded.inputs, ...bundle.inputs]);
  return { loaded, bundle };
}

/** Runs the pipeline files in the bounded child. Throws what is wrong with them. */
export async function describeProject({ loaded, bundle }: BundledProject): Promise<PreparedProject> {
  const { definition, errors } = await describeBundle(bundle, { root: loaded.root });
  const [first, ...others] = errors;
  if (first) throw withOthers(first, others);
  if (!definition)
    throw new MillraceError("MILLRACE_LOAD_FAILED", { message: "The project gave no definitions." });
  return { loaded, bundle, definition };
}

/** The project's deployment that is in force, if it has one. */
export async function activeDeployment(
  client: ApiClient,
  project: string,
): Promise<DeploymentView | undefined> {
  const newest = await client.list("/deployments", { project }, deploymentsLookedAt);
  return newest.find(({ active }) => active);
}

/**
 * Deploys, unless this very bundle is in force: then the files did not change, and the server knows what they define.
 * `describe` is called only when it is needed.
 */
export async function ensureDeployed(
  client: ApiClient,
  { bundle }: BundledProject,
  describe: () => Promise<PreparedProject>,
): Promise<DeployResponse> {
  const { hash, project } = bundle.manifest;
  const active = await activeDeployment(client, project);
  if (active?.bundle !== hash) return deployProject(client, await describe(), { dryRun: false });
  const { deployment, pipelines } = active;
  return { project, deployment, dryRun: false, added: [], changed: [], retired: [], unchanged: pipelines };
}

/** Uploads what the server lacks, then activates. */
export async function deployProject(
  client: ApiClient,
  project: PreparedProject,
  options: { readonly dryRun: boolean; readonly pausesNewTriggers?: boolean },
): Promise<DeployResponse> {
  const { hash } = project.bundle.manifest;
  const path = `/bundles/${hash}` as const;
  if (!options.dryRun && !(await client.has(path))) await client.put(path, uploadOf(project.bundle));
  const request: DeployRequest = {
    bundle: hash,
    definition: project.definition,
    ...(options.dryRun ? { dryRun: true } : {}),
    ...(options.pausesNewTriggers ? { newTriggers: "paused" } : {}),
  };
  return client.post("/deployments", request);
}

function withOthers(first: MillraceError, others: readonly MillraceError[]): MillraceError {
  if (others.length === 0) return first;
  return new MillraceError(first.code, {
    message: first.message,
    advice: first.advice,
    fields: { ...first.fields, others },
    ...(first.source ? { source: first.source } : {}),
    cause: first,
  });
}
