/** All commands: what they are for, and where they live. Only the one that is asked for is loaded. */
import type { CommandModule } from "./command-line.ts";

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

export const commands = {
  init: { summary: "make a project", load: () => import("./command/init.ts") },
  dev: {
    summary: "run server, worker and reload on change, all in one",
    load: () => import("./command/dev.ts"),
  },
  run: { summary: "start a pipeline and follow it", load: () => import("./command/run.ts") },
  runs: { summary: "list runs", load: () => import("./command/runs.ts") },
  show: {
    summary: "show a run: why it is so, its nodes, their errors",
    load: () => import("./command/show.ts"),
  },
  logs: { summary: "print the logs of a run", load: () => import("./command/logs.ts") },
  cancel: { summary: "cancel a run or a node", load: () => import("./command/cancel.ts") },
  rerun: { summary: "run a run, or a part of it, again", load: () => import("./command/rerun.ts") },
  mark: { summary: "declare a node succeeded, failed or skipped", load: () => import("./command/mark.ts") },
  move: { summary: "let a run go on with another bundle", load: () => import("./command/move.ts") },
  waits: { summary: "list what runs wait for", load: () => import("./command/waits.ts") },
  approvals: {
    summary: "list what waits for a person's answer",
    load: () => import("./command/approvals.ts"),
  },
  approve: { summary: "say yes to what a run asks", load: () => import("./command/approve.ts") },
  reject: { summary: "say no to what a run asks", load: () => import("./command/reject.ts") },
  pipelines: {
    summary: "list pipelines; pause and resume them",
    load: () => import("./command/pipelines.ts"),
  },
  graph: { summary: "draw a pipeline's graph", load: () => import("./command/graph.ts") },
  deploy: { summary: "bring the project to a server", load: () => import("./command/deploy.ts") },
  rollback: { summary: "bring an earlier deployment back", load: () => import("./command/rollback.ts") },
  emit: { summary: "put an event into the event log", load: () => import("./command/emit.ts") },
  events: {
    summary: "list the event log, follow it, show an entry",
    load: () => import("./command/events.ts"),
  },
  probes: {
    summary: "list what probes look at, and who waits for it; show their logs",
    load: () => import("./command/probes.ts"),
  },
  sources: {
    summary: "list sources; pause and resume them",
    load: () => import("./command/sources.ts"),
  },
  hooks: { summary: "list webhooks and their addresses", load: () => import("./command/hooks.ts") },
  trigger: {
    summary: "list triggers; explain them, list and simulate their firings",
    load: () => import("./command/trigger.ts"),
  },
  assets: {
    summary: "list assets; show one, tell of an update",
    load: () => import("./command/assets.ts"),
  },
  pools: { summary: "list the shared limits; set their slots", load: () => import("./command/pools.ts") },
  workers: { summary: "list connected workers", load: () => import("./command/workers.ts") },
  server: { summary: "run a server", load: () => import("./command/server.ts") },
  worker: { summary: "run a worker", load: () => import("./command/worker.ts") },
  migrate: {
    summary: "bring the database to this version's schema",
    load: () => import("./command/migrate.ts"),
  },
  settings: {
    summary: "show a server's settings, and where each comes from",
    load: () => import("./command/settings.ts"),
  },
  doctor: {
    summary: "check this machine and project, and say what to do",
    load: () => import("./command/doctor.ts"),
  },
  "worker-process": {
    summary: "the worker of `dev` and `run`",
    load: () => import("./command/worker-process.ts"),
  },
} as const satisfies { readonly [name: string]: CommandEntry };

export type CommandName = keyof typeof commands;

/** Those that people type. */
export const helpGroups: readonly (readonly [title: string, names: readonly CommandName[]])[] = [
  ["Begin", ["init", "dev", "run"]],
  ["Runs", ["runs", "show", "logs", "cancel", "rerun", "mark", "move", "waits"]],
  ["People", ["approvals", "approve", "reject"]],
  ["Events", ["emit", "events", "trigger", "sources", "probes", "hooks"]],
  ["Assets", ["assets"]],
  ["Pipelines", ["pipelines", "graph", "deploy", "rollback"]],
  ["Operate", ["server", "worker", "workers", "pools", "settings", "migrate", "doctor"]],
];

export const commandNames: readonly CommandName[] = helpGroups.flatMap(([, names]) => names);
