/** What `millrace dev` says: for people, or as lines of JSON. */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import type { NamesDifference, DeployResponse } from "@millrace/protocol";
import type { WorkerEvent } from "@millrace/worker";
import { formatDuration, formatTime, plural } from "../terminal/format.ts";
import { errorDocument, formatError } from "../terminal/print-error.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { spentScheduleLines } from "../trigger-view/spent-schedules.ts";
import type { LocalServer } from "./local-server.ts";
import type { Deployed } from "./reloader.ts";
import { TransferReport } from "./transfer-report.ts";

const namesShown = 8;

export class DevReport {
  readonly #terminal: Terminal;
  readonly #isJson: boolean;
  readonly #root: string;
  #isStopping = false;
  #isWorkerLost = false;
  readonly #transfers = new TransferReport();

  constructor(terminal: Terminal, options: { readonly isJson: boolean; readonly root: string }) {
    this.#terminal = terminal;
    this.#isJson = options.isJson;
    this.#root = options.root;
  }

  ready(server: LocalServer, deployed: Deployed | undefined): void {
    // Its zero is the process's start.
    const ms = Math.round(performance.now());
    const pipelines = deployed?.pipelines ?? [];
    if (this.#isJson) {
      this.#event("ready", {
        url: server.url,
        ms,
        state: server.stateFolder,
        database: server.database,
        pipelines,
      });
      return;
    }
    const { paint } = this.#terminal;
    const shown = pipelines.slice(0, namesShown).join(", ");
    const more = pipelines.length > namesShown ? ` and ${pipelines.length - namesShown} more` : "";
    const rows = [
      ["Open", `${paint.cyan(server.url)} ${paint.dim("(the page; its API is below /api/v1)")}`],
      ["Pipelines", pipelines.length === 0 ? paint.dim("none yet") : `${shown}${more}`],
      ["State", `${relative(this.#root, server.stateFolder) || "."} ${paint.dim(`(${server.database})`)}`],
    ];
    this.#terminal.print("");
    this.#terminal.print(`  ${paint.green("●")} ${paint.bold("millrace")} is ready in ${ms} ms`);
    this.#terminal.print("");
    for (const [name = "", value = ""] of rows)
      this.#terminal.print(`    ${paint.dim(name.padEnd(10))} ${value}`);
    this.#terminal.print("");
    const [first] = pipelines;
    if (first !== undefined) {
      this.#terminal.print(`    ${paint.dim("In another terminal:")} npx millrace run ${first}`);
    }
    this.#terminal.print(
      `    ${paint.dim("Files are watched. Ctrl-C stops; runs go on at the next start.")}`,
    );
    this.#terminal.print("");
  }

  deployed(response: DeployResponse, changed: readonly string[], ms: number): void {
    const { added, changed: mended, retired, deployment, webhooks, assets, sources, eventTypes } = response;
    if (this.#isJson) {
      const others = {
        ...(webhooks && { webhooks }),
        ...(assets && { assets }),
        ...(sources && { sources }),
        ...(eventTypes && { eventTypes }),
      };
      this.#event("deployed", { deployment, added, changed: mended, retired, ...others, ms: Math.round(ms) });
      return;
    }
    const { paint } = this.#terminal;
    // Editors make files and take them away again; those are named only when there is nothing else.
    const present = changed.filter((file) => existsSync(file));
    const files = (present.length > 0 ? present : changed).map((file) => relative(this.#root, file));
    const what = [
      ...(added.length > 0 ? [`added ${added.join(", ")}`] : []),
      ...(mended.length > 0 ? [`changed ${mended.join(", ")}`] : []),
      ...(retired.length > 0 ? [`retired ${retired.join(", ")}`] : []),
      ...differenceWords("webhook", webhooks),
      ...differenceWords("asset", assets),
      ...differenceWords("source", sources),
      ...differenceWords("event type", eventTypes),
    ];
    const told = what.length === 0 ? "same graphs" : what.join("; ");
    this.#line(
      `${paint.green("●")} ${files.slice(0, 3).join(", ")}${files.length > 3 ? ", …" : ""}: ${told} ${paint.dim(`(deployment ${deployment}, ${formatDuration(ms)})`)}`,
    );
  }

  spentSchedules(response: DeployResponse): void {
    for (const line of spentScheduleLines(response)) this.problem(line);
  }

  broken(error: unknown, current: Deployed | undefined): void {
    if (this.#isJson) {
      this.#event("broken", { ...errorDocument(error), stillRunning: current?.deployment ?? null });
      return;
    }
    const { paint } = this.#terminal;
    const still = current
      ? `still running the version from ${formatTime(current.at, new Date()).replace(/:\d\d$/, "")} (${plural(current.pipelines.length, "pipeline")})`
      : "nothing new is deployed; waiting for the files to change";
    this.#line(formatError(error, paint, this.#terminal.isLive ? this.#terminal.columns() - 1 : undefined));
    this.#terminal.print(`         ${paint.yellow(still)}`);
  }

  worker(event: WorkerEvent): void {
    if (this.#isStopping) return;
    switch (event.kind) {
      case "connected":
        this.#isWorkerLost = false;
        return;
      case "disconnected":
        // Each retry is such an event.
        if (!this.#isWorkerLost) this.problem(`The worker lost the server: ${event.reason}.`);
        this.#isWorkerLost = true;
        return;
      case "refused":
        return this.problem(`The server refused the worker: ${event.code} ${event.message}`);
      case "child_start_failed":
        return this.problem(`The worker could not start a process: ${event.message}`);
      case "transfer_failed":
        return this.#tellTransfer(this.#transfers.lineFor(event, Date.now()));
      default:
        return;
    }
  }

  #tellTransfer(line: string | undefined): void {
    if (line !== undefined) this.problem(line);
  }

  problem(message: string): void {
    if (this.#isJson) this.#event("problem", { message });
    else this.#line(`${this.#terminal.paint.yellow("!")} ${message}`);
  }

  note(message: string): void {
    // What is lost while everything goes is no news.
    if (this.#isStopping) return;
    if (this.#isJson) this.#event("note", { message });
    else this.#line(this.#terminal.paint.dim(message));
  }

  stopping(): void {
    this.#isStopping = true;
    if (this.#isJson) this.#event("stopping", {});
    else this.#terminal.print(`\n  ${this.#terminal.paint.dim("Stopping … (Ctrl-C again kills)")}`);
  }

  stopped(): void {
    if (!this.#isStopping) return;
    if (this.#isJson) this.#event("stopped", {});
    else
      this.#terminal.print(
        `  ${this.#terminal.paint.dim("Stopped. Unfinished runs go on at the next start.")}`,
      );
  }

  #line(text: string): void {
    const now = new Date();
    this.#terminal.print(`${this.#terminal.paint.dim(formatTime(now, now))} ${text}`);
  }

  #event(event: string, fields: object): void {
    this.#terminal.print(JSON.stringify({ event, ...fields }));
  }
}

function differenceWords(what: string, difference: NamesDifference | undefined): string[] {
  if (!difference) return [];
  const { added, changed, retired } = difference;
  return [
    ...added.map((name) => `added ${what} ${name}`),
    ...changed.map((name) => `changed ${what} ${name}`),
    ...retired.map((name) => `retired ${what} ${name}`),
  ];
}
