/**
 * A simulated worker: speaks the protocol's rules W1–W4 with whichever node it is connected to, runs as many attempts as
 * it has slots for virtual time, returns what was sent ahead and did not come to its turn, drains when it is told to, and
 * keeps the ledger of what was really executed.
 */
import { planAttempt, planStopped, withEmitted, type AttemptPlan } from "./attempt-plan.ts";
import { programOf, type Program } from "./code-program.ts";
import { CodeRun } from "./code-run.ts";
import {
  aheadMsMax,
  protocolVersion,
  tokenKey,
  type AttemptOutcome,
  type Dispatch,
  type DispatchToken,
  type ServerMessage,
} from "@millrace/protocol";
import type { SeededRandom } from "@millrace/testkit";
import { isLook, isLookToken, planLook } from "./looks.ts";
import type { Scheduled } from "./scheduler.ts";
import type { ServerNode } from "./server-node.ts";
import type { Connection, Ended, WorkerSettings, WorkerWorld } from "./worker-world.ts";

interface Attempt {
  readonly dispatch: Dispatch;
  /** Where its function has steps and waits, from its beginning on. */
  code: CodeRun | undefined;
  /** Waits for a slot. */
  isWaiting: boolean;
  startedAt: number;
  /** Its end, or while it waits its return. */
  end: Scheduled | undefined;
}

const leaseMs = 8_000;
/** Acknowledged tokens that are remembered, so that a dispatch which comes late is not run again. */
const rememberedMax = 10_000;

export class SimulatedWorker {
  readonly id: string;
  readonly queues: readonly string[];
  readonly slots: number;
  readonly prefetch: number;
  readonly #world: WorkerWorld;
  readonly #random: SeededRandom;
  readonly #running = new Map<string, Attempt>();
  /** Ended, and not acknowledged. */
  readonly #ended = new Map<string, Ended>();
  readonly #remembered = new Set<string>();
  #connection: Connection | undefined;
  #onDrained: (() => void) | undefined;
  #lease: Scheduled | undefined;
  isDead = false;
  /** Stays away until then. */
  #awayUntil = 0;

  constructor(id: string, settings: WorkerSettings, world: WorkerWorld) {
    this.id = id;
    this.queues = settings.queues;
    this.slots = settings.slots;
    this.prefetch = settings.prefetch;
    this.#world = world;
    this.#random = world.random.fork();
    this.#connectLater(this.#random.next() * 100);
    this.#beat();
  }

  /** The machine is gone with all that ran on it. */
  kill(): void {
    this.isDead = true;
    this.#killAll("its worker was killed");
    this.#ended.clear();
    this.#breakConnection();
  }

  get isDraining(): boolean {
    return this.#onDrained !== undefined;
  }

  /** Takes nothing new, and ends once nothing runs and everything is acknowledged; `onEnd` is called then, if ever. */
  drain(onEnd: () => void): void {
    if (this.isDead || this.isDraining) return;
    this.#world.journal.note(`${this.id} drains`);
    this.#onDrained = onEnd;
    this.#sayDraining();
    this.#checkDrained();
  }

  #sayDraining(): void {
    const connection = this.#connection;
    if (!connection?.isWelcome) return;
    this.#up(connection, () => {
      const { connected, server } = connection;
      if (!connected || !server.engine) return;
      server.engine.hub.drain(connected);
      this.#world.ledger.draining(this.id, connected);
    });
  }

  #checkDrained(): void {
    if (this.isDead || !this.#onDrained || this.#running.size + this.#ended.size > 0) return;
    const onEnd = this.#onDrained;
    this.isDead = true;
    this.#world.journal.count("worker drained");
    this.#world.journal.note(`${this.id} has drained`);
    this.#breakConnection();
    onEnd();
  }

  /** The network is gone for a while. */
  disconnect(forMs: number): void {
    this.#awayUntil = this.#world.scheduler.now + forMs;
    this.#breakConnection();
  }

  /** Forgets what it runs and tells nobody, as a worker with a fault would. */
  drop(): void {
    const [first] = this.#running.values();
    if (!first) return;
    first.end?.cancel();
    this.#running.delete(tokenKey(first.dispatch.token));
    this.#world.ledger.abort(first.dispatch.token, "its worker dropped it");
  }

  #tokens(): DispatchToken[] {
    return [
      ...[...this.#running.values()].map(({ dispatch }) => dispatch.token),
      ...[...this.#ended.values()].map(({ token }) => token),
    ];
  }

  // --- connection ---------------------------------------------------------------------------------------------------

  #connectLater(delayMs: number): void {
    this.#world.scheduler.after(delayMs, () => this.#connect());
  }

  #connect(): void {
    const { scheduler, nodes } = this.#world;
    if (this.isDead || this.#connection) return;
    const ready = nodes.filter((node) => node.isReady);
    if (scheduler.now < this.#awayUntil || ready.length === 0) {
      this.#connectLater(200 + this.#random.next() * 800);
      return;
    }
    const server = this.#random.pick(ready);
    const connection: Connection = {
      server,
      life: server.incarnation!,
      isOpen: true,
      connected: undefined,
      link: {
        send: (...messages) => {
          for (const message of messages) this.#down(connection, message);
        },
        close: () => this.#closed(connection),
      },
      upAt: 0,
      downAt: 0,
      isWelcome: false,
    };
    this.#connection = connection;
    const hello = {
      kind: "hello" as const,
      protocol: protocolVersion,
      workerId: this.id,
      name: this.id,
      version: "simulated",
      queues: this.queues,
      slots: this.slots,
      prefetch: this.prefetch,
      labels: {},
      platform: "linux",
      draining: this.isDraining,
      running: this.#tokens(),
    };
    this.#up(connection, () => {
      if (!server.engine) return;
      const { worker, welcome } = server.engine.hub.connect(hello, connection.link);
      connection.connected = worker;
      if (hello.draining) this.#world.ledger.draining(this.id, worker);
      this.#down(connection, welcome);
    });
  }

  #closed(connection: Connection): void {
    if (!connection.isOpen) return;
    connection.isOpen = false;
    const { scheduler } = this.#world;
    const { connected, server, life, link } = connection;
    const engine = server.engine;
    scheduler.after(this.#random.next() * 5, () =>
      life.deliver(() => {
        if (connected && server.engine === engine) engine?.hub.disconnected(connected, link);
      }),
    );
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.isDead) return;
    this.#lease ??= scheduler.after(leaseMs, () => this.#leaseLost());
    this.#connectLater(20 + this.#random.next() * 1_500);
  }

  #breakConnection(): void {
    if (this.#connection) this.#closed(this.#connection);
  }

  /** Its node is gone. */
  serverGone(server: ServerNode): void {
    if (this.#connection?.server === server) this.#closed(this.#connection);
  }

  #leaseLost(): void {
    this.#lease = undefined;
    if (this.#connection?.isWelcome) return;
    this.#world.journal.count("worker lease lost");
    this.#killAll("its worker lost its lease");
  }

  #killAll(why: string): void {
    for (const [key, attempt] of this.#running) this.#abandon(key, attempt, why);
    this.#checkDrained();
  }

  #abandon(key: string, attempt: Attempt, why: string): void {
    attempt.end?.cancel();
    this.#running.delete(key);
    this.#remember(key);
    if (!attempt.isWaiting) this.#world.ledger.abort(attempt.dispatch.token, why);
  }

  #remember(key: string): void {
    this.#remembered.add(key);
    const [oldest] = this.#remembered;
    if (this.#remembered.size > rememberedMax) this.#remembered.delete(oldest!);
  }

  #delay(): number {
    return 0.1 + this.#random.next() * (this.#random.chance(0.02) ? 400 : 2);
  }

  /** To the server, in order. */
  #up(connection: Connection, act: () => void): void {
    const { scheduler, trouble, journal } = this.#world;
    if (!connection.isOpen) return;
    if (this.#random.chance(trouble.breakChance)) {
      journal.count("fault: connection broke");
      this.#closed(connection);
      return;
    }
    const at = Math.max(scheduler.now + this.#delay(), connection.upAt);
    connection.upAt = at;
    scheduler.after(at - scheduler.now, () => {
      if (connection.isOpen) connection.life.deliver(() => (connection.isOpen ? act() : undefined));
    });
  }

  /** To the worker, in order. */
  #down(connection: Connection, message: ServerMessage): void {
    const { scheduler, trouble, journal, ledger } = this.#world;
    if (!connection.isOpen || connection.life.isDead) return;
    ledger.sent(this.id, message);
    if (this.#random.chance(trouble.breakChance)) {
      journal.count("fault: connection broke");
      this.#closed(connection);
      return;
    }
    const at = Math.max(scheduler.now + this.#delay(), connection.downAt);
    connection.downAt = at;
    const copies = this.#random.chance(trouble.doubleChance) ? 2 : 1;
    if (copies === 2) journal.count("fault: doubled to worker");
    for (let copy = 0; copy < copies; copy += 1) {
      scheduler.after(at - scheduler.now, () => {
        if (connection.isOpen && !this.isDead) this.#receive(connection, message);
      });
    }
  }

  #beat(): void {
    this.#world.scheduler.after(3_000, () => {
      if (this.isDead) return;
      const connection = this.#connection;
      const running = this.#tokens();
      if (connection?.isWelcome)
        this.#up(
          connection,
          () =>
            connection.connected &&
            connection.server.engine?.hub.heartbeat(connection.connected, { kind: "heartbeat", running }),
        );
      this.#beat();
    });
  }

  // --- messages -----------------------------------------------------------------------------------------------------

  #receive(connection: Connection, message: ServerMessage): void {
    switch (message.kind) {
      case "welcome":
        connection.isWelcome = true;
        this.#lease?.cancel();
        this.#lease = undefined;
        for (const token of message.revoked) this.#revoke(token);
        for (const { code } of this.#running.values()) code?.send();
        this.#report([...this.#ended.keys()]);
        if (this.isDraining) this.#sayDraining();
        this.#checkDrained();
        return;
      case "dispatches":
        for (const dispatch of message.dispatches) this.#dispatch(dispatch);
        return;
      case "ack":
        for (const token of message.tokens)
          if (this.#ended.delete(tokenKey(token))) this.#remember(tokenKey(token));
        return this.#checkDrained();
      case "cancel":
        return this.#cancel(message.token);
      case "recorded":
        return this.#running.get(tokenKey(message.token))?.code?.recorded(message);
      default:
        return this.#closed(connection);
    }
  }

  /** Given up meanwhile: what runs is killed, what ended is reported all the same (and acknowledged as stale). */
  #revoke(token: DispatchToken): void {
    const attempt = this.#running.get(tokenKey(token));
    if (!attempt) return;
    this.#abandon(tokenKey(token), attempt, "revoked");
    this.#world.journal.count("worker: revoked on reconnect");
    this.#beginWaiting();
  }

  #dispatch(dispatch: Dispatch): void {
    const key = tokenKey(dispatch.token);
    const { journal, scheduler } = this.#world;
    if (this.#running.has(key) || this.#remembered.has(key)) return;
    if (this.#ended.has(key)) return this.#report([key]);
    if (this.isDraining) journal.count("worker: dispatch that crossed its draining");
    const attempt: Attempt = {
      dispatch,
      code: undefined,
      isWaiting: true,
      startedAt: 0,
      end: undefined,
    };
    this.#running.set(key, attempt);
    this.#beginWaiting();
    if (!dispatch.ahead) return;
    journal.count("sent ahead");
    if (attempt.isWaiting) attempt.end = scheduler.after(aheadMsMax, () => this.#return(key, attempt));
    else journal.count("sent ahead: begun at once");
  }

  /** First come, first served, as far as slots go. */
  #beginWaiting(): void {
    let free = this.slots;
    for (const { isWaiting } of this.#running.values()) if (!isWaiting) free -= 1;
    for (const attempt of this.#running.values()) {
      if (free <= 0) return;
      if (attempt.isWaiting && this.#begin(attempt)) free -= 1;
    }
  }

  #begin(attempt: Attempt): boolean {
    const { dispatch } = attempt;
    const { ledger, journal, scheduler } = this.#world;
    if (attempt.end) journal.count("sent ahead: begun in its turn");
    attempt.end?.cancel();
    if (!ledger.begin(this.id, dispatch)) {
      this.#running.delete(tokenKey(dispatch.token));
      return false;
    }
    attempt.isWaiting = false;
    attempt.startedAt = scheduler.now;
    if (isLook(dispatch)) {
      this.#endAs(attempt, planLook(dispatch, this.#world.outside));
      return true;
    }
    const definition = this.#world.nodeOf(dispatch.bundle, dispatch.pipeline, dispatch.token.node);
    const program = definition.kind === "task" ? programOf(dispatch, this.#world.parts) : undefined;
    this.#world.steps.resumed(dispatch);
    if (program) this.#runCode(attempt, program);
    else this.#finish(attempt);
    return true;
  }

  #finish(attempt: Attempt): void {
    const { dispatch } = attempt;
    const definition = this.#world.nodeOf(dispatch.bundle, dispatch.pipeline, dispatch.token.node);
    this.#endAs(attempt, planAttempt(this.#random, definition, dispatch));
  }

  #endAs(attempt: Attempt, { durationMs, outcome }: AttemptPlan): void {
    attempt.end = this.#world.scheduler.after(durationMs, () => this.#end(attempt.dispatch, outcome));
  }

  #runCode(attempt: Attempt, program: Program): void {
    const { dispatch } = attempt;
    const { scheduler, journal, steps } = this.#world;
    attempt.code = new CodeRun({
      dispatch,
      program,
      journal,
      random: this.#random,
      ledger: steps,
      now: () => scheduler.now,
      later: (delayMs, act) => {
        attempt.end = scheduler.after(delayMs, act);
      },
      send: (message) => {
        const connection = this.#connection;
        if (!connection?.isWelcome) return;
        this.#up(connection, () => {
          if (connection.connected) connection.server.engine?.hub.steps(connection.connected, message);
        });
      },
      suspended: (outcome) => this.#end(dispatch, outcome),
      finish: () => this.#finish(attempt),
    });
    attempt.code.goOn();
  }

  /** It was sent ahead and its turn did not come: another worker may have a free slot. */
  #return(key: string, { dispatch }: Attempt): void {
    const outcome = { kind: "returned" } as const;
    this.#running.delete(key);
    this.#world.ledger.returned(dispatch.token);
    this.#ended.set(key, { token: dispatch.token, outcome, durationMs: 0 });
    this.#report([key]);
  }

  #end(dispatch: Dispatch, planned: AttemptOutcome): void {
    const { token } = dispatch;
    const key = tokenKey(token);
    const startedAt = this.#running.get(key)?.startedAt ?? this.#world.scheduler.now;
    const finish = (ended: AttemptOutcome): void => {
      const outcome = isLook(dispatch) ? ended : withEmitted(ended, dispatch);
      this.#running.delete(key);
      this.#world.ledger.end(token, outcome);
      this.#ended.set(key, { token, outcome, durationMs: this.#world.scheduler.now - startedAt });
      this.#report([key]);
      this.#beginWaiting();
    };
    if (planned.kind !== "succeeded" || !("value" in planned.output)) return finish(planned);
    const text = JSON.stringify(planned.output.value);
    if (text.length <= 16_384) return finish(planned);
    this.#world.journal.count("worker: output as a blob");
    this.#world.putBlob(text).then(
      (blob) => finish({ kind: "succeeded", output: { blob, bytes: text.length } }),
      () => undefined,
    );
  }

  #cancel(token: DispatchToken): void {
    const key = tokenKey(token);
    const attempt = this.#running.get(key);
    if (!attempt) return;
    attempt.end?.cancel();
    if (attempt.isWaiting) {
      this.#running.delete(key);
      this.#ended.set(key, { token, outcome: { kind: "cancelled" }, durationMs: 0 });
      this.#report([key]);
      return;
    }
    attempt.code?.stop();
    if (isLookToken(token)) return this.#endAs(attempt, { durationMs: 5, outcome: { kind: "cancelled" } });
    const definition = this.#world.nodeOf(attempt.dispatch.bundle, attempt.dispatch.pipeline, token.node);
    this.#endAs(attempt, planStopped(this.#random, definition));
  }

  /** Sends results; they stay until they are acknowledged (W2). */
  #report(keys: readonly string[]): void {
    const connection = this.#connection;
    if (!connection?.isWelcome) return;
    const { journal, scheduler, trouble } = this.#world;
    const now = scheduler.now;
    const order = this.#random.chance(trouble.reorderChance) ? this.#random.shuffle(keys) : keys;
    const results = order.flatMap((key) => {
      const ended = this.#ended.get(key);
      if (!ended) return [];
      const { token, outcome, durationMs } = ended;
      return [{ token, outcome, times: { startedAt: now - durationMs, endedAt: now } }];
    });
    if (results.length === 0) return;
    const copies = this.#random.chance(trouble.doubleChance) ? 2 : 1;
    if (copies === 2) journal.count("fault: doubled to server");
    for (let copy = 0; copy < copies; copy += 1) {
      const send = (): void =>
        this.#up(connection, () => {
          if (connection.connected)
            connection.server.engine?.hub.results(connection.connected, { kind: "results", results });
        });
      if (copy === 0) send();
      else scheduler.after(this.#random.next() * 3_000, send);
    }
  }
}
