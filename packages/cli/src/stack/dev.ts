/**
 * `millrace dev`: server, worker and the project's reload in one process tree.
 *
 * D1: PostgreSQL, the worker's process and the bundling start at once; none waits for another that it does not need.
 * D2: a project that can't be loaded never replaces one that could.
 * D3: whatever ends us, nothing of ours goes on: the worker follows its channel, and PostgreSQL is stopped or, after a
 *     kill, adopted by the next owner.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { claimStateFolder } from "@millrace/store";
import { exitCodeOfSignal, onInterrupt, type StopSignal } from "../interrupt.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { ApiClient } from "../api/client.ts";
import { portDefault, stateFolderOf } from "../api/find-server.ts";
import { ownPageFolder, ownVersion } from "../own-version.ts";
import { findConfiguration } from "../project/configuration.ts";
import { starterGone } from "../starter.ts";
import { DevReport } from "./dev-report.ts";
import type { DevOptions } from "../command/dev.ts";
import { startLocalServer, type LocalServer } from "./local-server.ts";
import { editorAddress } from "./editor.ts";
import { slotsDefault } from "./options.ts";
import { settingsOf } from "./settings.ts";
import { openForPerson } from "./open-page.ts";
import { isPortFree, portTaken } from "./port.ts";
import { ProjectStatus } from "./project-status.ts";
import { Reloader } from "./reloader.ts";
import { WorkerProcess } from "./worker-process.ts";

const host = "127.0.0.1";

export async function runDev(context: Context, options: DevOptions): Promise<number> {
  const { root } = findConfiguration(context.folder);
  const report = new DevReport(context.terminal, { isJson: options.json === true, root });
  const stateFolder = stateFolderOf({ ...context, folder: root }, options);
  const port = await choosePort(options.port, stateFolder);
  const isNew = !existsSync(stateFolder);
  const stopping = new AbortController();
  let stopSignal: StopSignal = "SIGTERM";
  const asked = new Promise<void>((resolve) => {
    stopping.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const worker = new WorkerProcess({
    onEvent: (event) => report.worker(event),
    onProblem: (message) => report.problem(message),
  });
  let startWorker = (_queues: readonly string[]): void => undefined;
  const status = new ProjectStatus(root, editorAddress(context.environment.editor));
  const reloader = new Reloader(root, { report, status, onQueues: (queues) => startWorker(queues) });
  const interrupts = onInterrupt(
    (signal) => {
      stopSignal = signal;
      report.stopping();
      stopping.abort();
    },
    () => {
      worker.kill();
      process.exit(exitCodes.interrupted);
    },
  );
  const releaseStarter = starterGone(() => stopping.abort());
  let server: LocalServer | undefined;
  try {
    // A server that ran before may know these very files; a new one needs them described, and takes longer to start.
    const preparing = isNew ? reloader.describe() : reloader.build();
    preparing.catch(() => undefined);
    server = await startLocalServer({
      stateFolder,
      databaseUrl: context.environment.databaseUrl,
      host,
      port,
      token: context.environment.token,
      publicUrl: undefined,
      version: ownVersion(),
      pageFolder: ownPageFolder(),
      variables: context.environment.variables,
      sourceRoot: root,
      shareFolder: false,
      settings: settingsOf(
        {
          flags: { port: options.port, state: options.state },
          variables: context.environment.variables,
        },
        stateFolder,
      ),
      project: status,
      onNote: (message) => report.note(message),
    });
    if (port !== (options.port ?? portDefault))
      report.note(`Port ${portDefault} is taken by another program: using a free one.`);
    const running = server;
    startWorker = (queues) => worker.start({ ...workerOptions(context, options, root, running), queues });
    await Promise.race([reloader.configured(), asked]);
    startWorker(reloader.queues);
    const client = new ApiClient({ url: server.url, token: context.environment.token });
    await Promise.race([Promise.all([reloader.activate(client), worker.connected]), asked]);
    if (!stopping.signal.aborted) {
      report.ready(server, reloader.current);
      if (options.open && options.json !== true && context.terminal.isLive)
        void openForPerson(context, server.url, {
          isNew,
          isOpen: () => status.isWatched,
          signal: stopping.signal,
        });
      await reloader.watch();
      await asked;
    }
    return exitCodeOfSignal(stopSignal);
  } catch (error) {
    // A terminal's Ctrl-C ends our own helpers, too: what they leave unfinished then is no failure.
    if (!stopping.signal.aborted) throw error;
    return exitCodeOfSignal(stopSignal);
  } finally {
    await reloader.stop();
    await worker.stop();
    await server?.stop();
    interrupts.release();
    releaseStarter();
    report.stopped();
  }
}

/**
 * An explicit port is taken or refused; the usual one gives way to a free one, and that is said. Where this folder's own
 * server runs, that is what is said: it may well be what has the port.
 */
async function choosePort(port: number | undefined, stateFolder: string): Promise<number> {
  const wanted = port ?? portDefault;
  if (wanted === 0 || (await isPortFree(host, wanted))) return wanted;
  if (port === undefined) return 0;
  if (existsSync(stateFolder)) await (await claimStateFolder(stateFolder)).release();
  throw portTaken(host, port);
}

function workerOptions(context: Context, options: DevOptions, root: string, server: LocalServer) {
  const { token } = context.environment;
  return {
    url: server.url,
    name: "dev",
    slots: options.slots ?? slotsDefault(),
    cacheFolder: join(server.stateFolder, "worker"),
    workFolder: root,
    allowInspect: true,
    checkReplay: true,
    version: ownVersion(),
    ...(token === undefined ? {} : { token }),
  };
}
