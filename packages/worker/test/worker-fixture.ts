import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttemptOutcome, Dispatch } from "@millrace/protocol";
import { startWorker, type Worker, type WorkerEvent, type WorkerOptions } from "../src/index.ts";
import { ProtocolServer } from "./protocol-server.ts";

export interface Fixture extends AsyncDisposable {
  readonly server: ProtocolServer;
  readonly worker: Worker;
  readonly events: WorkerEvent[];
  readonly cacheFolder: string;
  /** Hands one over and gives its outcome. */
  run(dispatch: Dispatch): Promise<AttemptOutcome>;
  /** The first event of a kind, also when it has come. */
  event<Kind extends WorkerEvent["kind"]>(kind: Kind): Promise<Extract<WorkerEvent, { kind: Kind }>>;
}

/** A connected worker with one slot, and the server that it is connected to. */
export async function startFixture(options: Partial<WorkerOptions> = {}): Promise<Fixture> {
  const server = await ProtocolServer.start();
  const cacheFolder = await mkdtemp(join(tmpdir(), "millrace-worker-"));
  const events: WorkerEvent[] = [];
  const waiters: (() => void)[] = [];
  const worker = await startWorker({
    url: server.url,
    token: "secret",
    name: "test",
    slots: 1,
    cacheFolder,
    version: "0.1.0",
    ...options,
    onEvent: (event) => {
      events.push(event);
      for (const wake of waiters.splice(0)) wake();
    },
  });
  await worker.connected;
  return {
    server,
    worker,
    events,
    cacheFolder,
    run: (dispatch) => {
      server.send({ kind: "dispatches", dispatches: [dispatch] });
      return server.outcome(dispatch.token);
    },
    event: async (kind) => {
      for (;;) {
        const found = events.find((event) => event.kind === kind);
        if (found) return found as never;
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
    },
    [Symbol.asyncDispose]: async () => {
      await worker.stop();
      await server.stop();
      await rm(cacheFolder, { recursive: true, force: true });
    },
  };
}
