/**
 * The entry of a child process: one bundle, one attempt at a time. It knows no server and no token; what it says goes to
 * the worker's main process, which kills it when it does not follow.
 */
import { dirname } from "node:path";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { MillraceError, probePipeline, type AttemptError } from "@millrace/core";
import { inlineBytesMax, outputBytesMax } from "@millrace/protocol";
import type { LoadedProject, TaskFunction } from "@millrace/sdk/internal";
import type {
  ChildOutcome,
  ChildResult,
  FromChild,
  LoadBundle,
  LocalRecord,
  ProducedWait,
  RunAttempt,
  ToChild,
} from "../pool/child-message.ts";
import { limits } from "../limits.ts";
import { AttemptOperations, processHost } from "./attempt-operations.ts";
import { describeThrown, nextRequestOf } from "./attempt-error.ts";
import { OutputCapture } from "./capture.ts";
import { ParentChannel } from "./channel.ts";
import { makeContext } from "./context.ts";
import { callInDebugger } from "./debugger.ts";
import { EmitAnswers, Emitter } from "./emit.ts";
import { firingReader, PageAnswers } from "./firing-members.ts";
import { InlineBudget } from "./inline-budget.ts";
import { LogGate } from "./log-gate.ts";
import { checkReplay, rehearse } from "./replay-check.ts";
import { ProcessState } from "./process-state.ts";
import { validatedParams } from "./validated-params.ts";
import { ValueStore } from "./value.ts";

interface BundleModule {
  readonly modules: unknown;
  readonly settings?: object;
  loadProject(modules: unknown, options: object): LoadedProject | Promise<LoadedProject>;
}

class Runner {
  readonly #channel = new ParentChannel();
  readonly #gate = new LogGate(this.#channel);
  readonly #capture = new OutputCapture(this.#gate);
  readonly #values: ValueStore;
  readonly #state = new ProcessState();
  readonly #emitAnswers = new EmitAnswers();
  readonly #pageAnswers = new PageAnswers();
  readonly #residentMax: number;
  readonly #functions = new Map<string, TaskFunction>();
  #loading: Promise<void> = Promise.resolve();
  #loadError: AttemptError | undefined;
  #project: LoadedProject | undefined;
  #folder = "/";
  #current: CurrentAttempt | undefined;
  #checkedMemoryAt = 0;
  /** Something of an earlier attempt broke after its end: the next one goes to another process. */
  #spoiled = false;

  constructor(folder: string, memoryMb: number) {
    this.#values = new ValueStore(folder);
    this.#residentMax = memoryMb * 1024 * 1024;
  }

  start(): void {
    this.#capture.install();
    process.on("uncaughtException", (error) => this.#stray(error));
    process.on("unhandledRejection", (reason) => this.#stray(reason));
    this.#channel.listen((message) => this.#receive(message));
    this.#channel.post({ kind: "ready" });
  }

  #receive(message: ToChild): void {
    switch (message.kind) {
      case "load":
        this.#loading = this.#load(message);
        return;
      case "run":
        if (this.#spoiled) this.#channel.post({ kind: "refused", id: message.id });
        else if (this.#project) this.#run(message);
        else void this.#loading.then(() => this.#run(message));
        return;
      case "abort":
        if (this.#current?.run.id === message.id) this.#current.abort.abort(abortReason(message.reason));
        return;
      case "recorded":
        if (this.#current?.run.id === message.id)
          this.#current.operations?.operations.recorded(message.steps);
        return;
      case "emitted":
        return this.#emitAnswers.answered(message.number, message.error);
      case "member_page":
        return this.#pageAnswers.answered(message.number, message.page);
      case "end":
        process.exit(0);
    }
  }

  async #load(message: LoadBundle): Promise<void> {
    this.#folder = dirname(message.file);
    this.#capture.begin();
    try {
      if (message.externals) resolveFrom(message.externals);
      const bundle = (await import(pathToFileURL(message.file).href)) as BundleModule;
      const modules: unknown = typeof bundle.modules === "function" ? await bundle.modules() : bundle.modules;
      this.#project = await bundle.loadProject(modules, { ...bundle.settings, captureSource: false });
      this.#channel.post({ kind: "loaded" });
    } catch (thrown) {
      const error = describeThrown(thrown, this.#folder);
      this.#loadError = { ...error, code: "MILLRACE_LOAD_FAILED" };
      this.#channel.post({ kind: "loaded", error: this.#loadError });
    } finally {
      this.#capture.end();
      this.#state.remember();
    }
  }

  #run(run: RunAttempt): void {
    const abort = new AbortController();
    const post = (message: FromChild): void => {
      if (!current.ended) this.#gate.post(message);
    };
    const emitter = new Emitter(run, this.#emitAnswers, post);
    const current: CurrentAttempt = { run, abort, post, emitter, ended: false };
    this.#current = current;
    this.#state.enter(run.env);
    this.#capture.begin();
    if (run.isRehearsal) {
      void this.#rehearse(current).catch((thrown: unknown) => this.#fail(current, thrown));
      return;
    }
    if (run.records) {
      this.#gate.hold();
      this.#operations(current);
    }
    this.#call(current, () => this.#operations(current)).then(
      (output) => this.#afterSteps(current, () => this.#succeed(current, output)),
      (thrown: unknown) => this.#afterSteps(current, () => this.#fail(current, thrown)),
    );
  }

  #operations(current: CurrentAttempt): AttemptOperations {
    current.operations ??= new AttemptOperations({
      run: current.run,
      values: this.#values,
      state: this.#state,
      gate: this.#gate,
      post: current.post,
      isEmitting: () => this.#emitAnswers.isWaiting,
      suspend: (waits) => void this.#suspend(current, waits),
    });
    return current.operations;
  }

  async #suspend(current: CurrentAttempt, waits: readonly ProducedWait[]): Promise<void> {
    if (current.run.checkReplay) await this.#checkReplay(current);
    if (!current.reported) this.#report(current, { kind: "suspended", waits }, false);
  }

  /** What the function says meanwhile it has said before. */
  async #checkReplay(current: CurrentAttempt): Promise<void> {
    const { post, operations } = current;
    if (!operations) return;
    this.#gate.hold();
    const { asked, records } = operations.operations;
    const found = await checkReplay({ asked, ...this.#rehearsalOf(current, records) });
    this.#gate.drop();
    this.#gate.open();
    if (found !== undefined) post({ kind: "log", level: "warn", text: found });
  }

  /** Nothing of what it says leaves. */
  async #rehearse(current: CurrentAttempt): Promise<void> {
    this.#gate.hold();
    const asked = this.#loadError
      ? undefined
      : await rehearse(this.#rehearsalOf(current, current.run.records ?? []));
    this.#gate.drop();
    const outcome: ChildResult["outcome"] = asked
      ? { kind: "rehearsed", asked }
      : { kind: "failed", error: this.#loadError! };
    if (!current.reported) this.#report(current, outcome, this.#loadError !== undefined);
  }

  #rehearsalOf(
    current: CurrentAttempt,
    records: readonly LocalRecord[],
  ): Omit<Parameters<typeof checkReplay>[0], "asked"> {
    const silent = (message: FromChild): void => {
      if (message.kind === "emit") this.#emitAnswers.answered(message.number, undefined);
    };
    const emitter = new Emitter(current.run, this.#emitAnswers, silent);
    return {
      records,
      host: processHost(this.#values, this.#state),
      folder: this.#folder,
      call: async (again) =>
        this.#call({ ...current, post: silent, emitter }, () => ({
          operations: again,
          budget: new InlineBudget([]),
        })),
    };
  }

  #afterSteps(current: CurrentAttempt, then: () => void): void {
    if (current.operations) current.operations.operations.functionEnded(then);
    else then();
  }

  async #call(current: CurrentAttempt, operations: () => AttemptOperations): Promise<unknown> {
    const { run, abort, post, emitter } = current;
    if (!this.#project) return undefined;
    const task = this.#taskFunction(this.#project, run);
    const context = makeContext({
      run,
      abort,
      params:
        run.params === undefined
          ? {}
          : await validatedParams(this.#project, run.pipeline, this.#values.read(run.params)),
      capture: this.#capture,
      values: this.#values,
      emitter,
      calls: { project: this.#project, folder: this.#folder, operations },
      firing: firingReader((request) =>
        this.#pageAnswers.ask((number) => post({ kind: "members", number, ...request })),
      ),
      post,
    });
    const input = this.#values.read(run.input);
    return run.inspect ? callInDebugger(task, input, context) : task(input, context);
  }

  #taskFunction(project: LoadedProject, run: RunAttempt): TaskFunction {
    const key = `${run.pipeline}\n${run.node}`;
    const known = this.#functions.get(key);
    if (known) return known;
    const found = project.taskFunction(run.pipeline, run.node);
    if (!found) throw unknownNode(project, run);
    this.#functions.set(key, found);
    return found;
  }

  #succeed(current: CurrentAttempt, output: unknown): void {
    try {
      if (this.#loadError) return this.#end(current, { kind: "failed", error: this.#loadError }, true);
      const produced = this.#values.produce(output, {
        inlineBytesMax,
        bytesMax: outputBytesMax,
        what: current.run.pipeline === probePipeline ? "what the probe found" : "the task's output",
        tooLarge: "MILLRACE_OUTPUT_TOO_LARGE",
      }).carried;
      const { events } = current.emitter;
      const emitted = events.length === 0 ? {} : { events };
      this.#end(current, { kind: "succeeded", output: produced, ...emitted }, false);
    } catch (thrown) {
      this.#fail(current, thrown);
    }
  }

  #fail(current: CurrentAttempt, thrown: unknown): void {
    this.#end(current, outcomeOf(thrown, this.#folder), false);
  }

  /** An error that no promise of the attempt leads to: it fails the attempt, and this process is not trusted any more. */
  #stray(thrown: unknown): void {
    const current = this.#current;
    if (current && !current.reported) this.#report(current, outcomeOf(thrown, this.#folder), true);
    else if (!this.#spoiled) {
      this.#spoiled = true;
      this.#channel.post({ kind: "settled", clean: false });
    }
  }

  /** One turn later, so that a rejection which nobody handles is seen before the result leaves. */
  #end(current: CurrentAttempt, outcome: ChildOutcome, spoiled: boolean): void {
    setImmediate(() => {
      if (!current.reported) this.#report(current, outcome, spoiled);
    });
  }

  #report(current: CurrentAttempt, outcome: ChildResult["outcome"], spoiled: boolean): void {
    current.operations?.operations.stop();
    this.#gate.open();
    current.ended = true;
    current.reported = true;
    this.#capture.end();
    // A process that had a debugger is not used again.
    const isDone = spoiled || current.run.inspect === true;
    const settling = !isDone && !this.#state.isQuiet();
    const state: ChildResult["state"] = isDone ? "spoiled" : settling ? "settling" : "clean";
    this.#channel.post({ kind: "result", id: current.run.id, outcome, state });
    this.#current = undefined;
    this.#state.leave();
    if (settling) this.#settle(performance.now() + limits.settleMs);
    else this.#checkMemory();
  }

  /** What an attempt left open may close by itself; else this process ends. */
  #settle(until: number): void {
    setTimeout(() => {
      if (this.#state.isQuiet()) this.#channel.post({ kind: "settled", clean: true });
      else if (performance.now() > until) this.#channel.post({ kind: "settled", clean: false });
      else this.#settle(until);
    }, 10).unref();
  }

  #checkMemory(): void {
    const now = performance.now();
    if (now - this.#checkedMemoryAt < limits.memoryCheckMs) return;
    this.#checkedMemoryAt = now;
    const resident = process.memoryUsage.rss();
    if (resident > this.#residentMax) {
      this.#channel.post({ kind: "heavy", residentMb: Math.round(resident / 1024 / 1024) });
    }
  }
}

interface CurrentAttempt {
  readonly run: RunAttempt;
  readonly abort: AbortController;
  /** Sends, as long as the attempt lasts. */
  readonly post: (message: FromChild) => void;
  readonly emitter: Emitter;
  operations?: AttemptOperations;
  ended: boolean;
  reported?: boolean;
}

function unknownNode(project: LoadedProject, run: RunAttempt): Error {
  const fault = project.errors.find((error) => error.fields["pipeline"] === run.pipeline);
  return new MillraceError("MILLRACE_NODE_UNKNOWN", {
    message: `The bundle has no function for node "${run.node}" of pipeline "${run.pipeline}".${fault ? ` ${fault.message}` : ""}`,
    fields: { pipeline: run.pipeline, node: run.node },
  });
}

function outcomeOf(thrown: unknown, folder: string): ChildOutcome {
  const next = nextRequestOf(thrown);
  if (next?.kind === "skip") return { kind: "skipped", reason: next.reason };
  return { kind: "failed", error: describeThrown(thrown, folder) };
}

function abortReason(reason: string): Error {
  return new DOMException(reason, "AbortError");
}

/** Bare imports of these packages are resolved as if the bundle stood in the project's root. */
function resolveFrom(externals: NonNullable<LoadBundle["externals"]>): void {
  const parentURL = pathToFileURL(`${externals.root}/package.json`).href;
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const isExternal = externals.names.some(
        (name) => specifier === name || specifier.startsWith(`${name}/`),
      );
      return nextResolve(specifier, isExternal ? { ...context, parentURL } : context);
    },
  });
}

const [folder, memoryMb] = process.argv.slice(2);
if (folder === undefined || memoryMb === undefined) {
  throw new MillraceError("MILLRACE_REQUEST_INVALID", { message: "the runner is started by the worker" });
}
new Runner(folder, Number(memoryMb)).start();
