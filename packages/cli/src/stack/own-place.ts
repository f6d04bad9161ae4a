/** A server, a worker and the project's deployment for one run; stopped afterwards. */
import { join } from "node:path";
import type { RunSummary } from "@millrace/protocol";
import { ApiClient } from "../api/client.ts";
import { stateFolderOf, type ServerOptions } from "../api/find-server.ts";
import type { Context } from "../environment.ts";
import { ownVersion } from "../own-version.ts";
import { pause } from "../pause.ts";
import { findConfiguration } from "../project/configuration.ts";
import { starterGone } from "../starter.ts";
import { buildProject, describeProject, ensureDeployed } from "./deployment.ts";
import { startLocalServer, type LocalServer } from "./local-server.ts";
import { slotsDefault } from "./options.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface OwnPlace {
  readonly client: ApiClient;
  readonly isOwn: true;
  kill(): void;
  /** Waits for runs that other commands started here meanwhile. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

const othersPollMs = 500;

export async function startOwnPlace(context: Context, options: ServerOptions): Promise<OwnPlace> {
  const { root } = findConfiguration(context.folder);
  const note = (message: string): void => context.terminal.note(message);
  const { token, databaseUrl } = context.environment;
  const startedAt = new Date();
  const worker = new WorkerProcess({ onEvent: () => undefined, onProblem: note });
  const releaseStarter = starterGone(() => process.kill(process.pid, "SIGTERM"));
  let server: LocalServer | undefined;
  const stop = async (): Promise<void> => {
    releaseStarter();
    await worker.stop();
    await server?.stop();
  };
  try {
    const building = buildProject(root);
    building.catch(() => undefined);
    const starting = startLocalServer({
      stateFolder: stateFolderOf({ ...context, folder: root }, options),
      databaseUrl,
      host: "127.0.0.1",
      port: 0,
      token,
      publicUrl: undefined,
      version: ownVersion(),
      variables: context.environment.variables,
      shareFolder: false,
      onNote: () => undefined,
    });
    server = await starting;
    const project = await building;
    worker.start({
      url: server.url,
      name: "run",
      slots: slotsDefault(),
      queues: ["default", ...project.loaded.configuration.queues],
      cacheFolder: join(server.stateFolder, "worker"),
      workFolder: root,
      allowInspect: true,
      version: ownVersion(),
      ...(token === undefined ? {} : { token }),
    });
    const client = new ApiClient({ url: server.url, token });
    await ensureDeployed(client, project, () => describeProject(project));
    return {
      client,
      isOwn: true,
      kill: () => worker.kill(),
      idle: () => othersEnded(client, startedAt, note),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Another `millrace run` in this project uses our server: its run is waited for. */
async function othersEnded(client: ApiClient, since: Date, note: (message: string) => void): Promise<void> {
  for (let told = false; ;) {
    const waiting = await othersUnderWay(client, since);
    if (waiting.length === 0) return;
    if (!told)
      note(`Waiting for ${waiting.map(({ id }) => id).join(", ")}, which other commands started here.`);
    told = true;
    await pause(othersPollMs);
  }
}

async function othersUnderWay(client: ApiClient, since: Date): Promise<readonly RunSummary[]> {
  const recent = await client.list("/runs", {}, 100).catch(() => []);
  return recent.filter(
    ({ state, createdAt }) =>
      ["queued", "running", "waiting"].includes(state) && Date.parse(createdAt) >= since.getTime(),
  );
}
