/** An explanation as a tree of lines. */
import type {
  EventExplanation,
  ExplanationView,
  FiringView,
  GateView,
  TriggerExplanation,
} from "@millrace/protocol";
import { formatAgo, formatTime, harmless, plural } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";
import { firingOutcome, memberLine } from "./firing.ts";

export interface Page {
  readonly paint: Colors;
  readonly now: Date;
}

export function explanationLines(explanation: TriggerExplanation, page: Page): string[] {
  const { trigger, gate, lastFiring, key, state, keys, event } = explanation;
  const { paint, now } = page;
  const lines = [`${paint.bold(trigger.pipeline)}  ${trigger.condition}`];
  if (trigger.paused) {
    const since = formatTime(new Date(trigger.paused.at), now);
    lines.push(paint.yellow(`  ‖ paused since ${since}: events are kept until it is resumed`));
  }
  lines.push(`  ${lastFiringText(lastFiring, key === undefined ? "" : " for this key", page)}`);
  if (gate) lines.push(...gateLines(gate, page));
  if (event) lines.push("", ...eventLines(event, paint));
  if (state)
    lines.push(
      "",
      ...(key === undefined
        ? []
        : [`key ${paint.bold(harmless(key))}${paint.dim(forgottenText(explanation, now))}`]),
      ...stateLines(state, page),
    );
  if (keys) {
    lines.push("", "It has a state for each of these keys; see one with --key:");
    for (const one of keys) {
      const due =
        one.due === undefined ? forgottenText(one, now) : `  due ${formatTime(new Date(one.due), now)}`;
      const touched = formatAgo(new Date(one.touchedAt), now);
      lines.push(`  ${paint.bold(harmless(one.key))}  ${paint.dim(`${touched}${due}`)}`);
    }
  }
  return lines;
}

/** `of` says whose it is where it is not the trigger's. */
function lastFiringText(firing: FiringView | undefined, of: string, { paint, now }: Page): string {
  if (!firing) return paint.dim(`has not fired${of}`);
  const { at, state, reason } = firing;
  const ago = formatAgo(new Date(at), now);
  if (state === "refused")
    return `${paint.red(`× fired${of} ${ago}, and no run began:`)} ${harmless(reason?.message ?? "")}`;
  return `last fired${of} ${ago}, at ${formatTime(new Date(at), now)}: ${firingOutcome(firing, paint)}`;
}

/** Unless something comes. */
function forgottenText({ forgottenAt }: { readonly forgottenAt?: string }, now: Date): string {
  return forgottenAt === undefined ? "" : `  forgotten at ${formatTime(new Date(forgottenAt), now)}`;
}

/** What its runs and firings wait for each other for. */
function gateLines(gate: GateView, { paint, now }: Page): string[] {
  const { policy, maxActiveRuns, active, activeCount, waiting, waitingAreMore } = gate;
  const slots = maxActiveRuns === undefined ? "" : ` of at most ${maxActiveRuns}`;
  const runs = active.length === 0 ? "" : `: ${active.join(", ")}${activeCount > active.length ? ", …" : ""}`;
  return [
    `  ${paint.dim(`policy ${policy};`)} ${plural(activeCount, "run")}${slots} under way${runs}`,
    ...waiting.map(({ id, key, runId, since, memberCount }) =>
      [
        `    ${paint.cyan("waits")} ${harmless(id)}`,
        key === undefined ? "" : `key ${paint.bold(harmless(key))}`,
        plural(memberCount, "member"),
        `since ${formatTime(new Date(since), now)}`,
        paint.dim(`as run ${runId}`),
      ]
        .filter((part) => part !== "")
        .join("  "),
    ),
    ...(waitingAreMore ? [paint.dim("    … and others")] : []),
  ];
}

function eventLines(event: EventExplanation, paint: Colors): string[] {
  const { position, type, verdict, text, firings = [], faults = [], replayed } = event;
  const lines = [
    `${markOf(verdict, paint)} event ${position} ${paint.bold(type)}: ${paint.bold(verdict.replaceAll("_", " "))}`,
    // The parts say it one by one.
    ...(faults.length > 0 ? [] : [`  ${harmless(text)}`]),
    ...faults.map(({ operand, part, expected, found }) =>
      harmless(`  ${operand}: ${part}: expected ${expected}, found ${found}`),
    ),
    ...firings.map((firing) => `  firing ${firing.id}  ${firingOutcome(firing, paint)}`),
  ];
  if (replayed) {
    const part = replayed.isWhole ? "" : ", which is a part of what it was told";
    lines.push(
      paint.dim(`  found by telling the log again, after ${replayed.from} up to ${replayed.to}${part}`),
    );
  }
  return lines;
}

function markOf(verdict: EventExplanation["verdict"], paint: Colors): string {
  if (verdict === "member") return paint.green("✓");
  // It is not over yet.
  return verdict === "gathered" || verdict === "unread" ? paint.cyan("…") : paint.yellow("×");
}

const marks = { waiting: "○", gathering: "◐", held: "●", blocked: "×" } as const;

export function stateLines(state: ExplanationView, page: Page, depth = 0): string[] {
  const { paint, now } = page;
  const indent = "  ".repeat(depth);
  const color = { waiting: paint.dim, gathering: paint.cyan, held: paint.green, blocked: paint.yellow }[
    state.state
  ];
  const times = [
    state.since === undefined ? "" : `since ${formatTime(new Date(state.since), now)}`,
    state.due === undefined ? "" : `due ${formatTime(new Date(state.due), now)}`,
  ].filter(Boolean);
  const name = state.name === undefined ? state.kind : state.name;
  const shown = state.members ?? [];
  const more = (state.memberCount ?? 0) - shown.length;
  return [
    `${indent}${color(marks[state.state])} ${paint.bold(harmless(name))} ${harmless(state.text)}${times.length > 0 ? paint.dim(`  ${times.join(", ")}`) : ""}`,
    ...(more > 0 ? [`${indent}    ${paint.dim(`… ${more} earlier ones`)}`] : []),
    ...shown.map((member) => `${indent}    ${memberLine(member, paint, now)}`),
    ...(state.of ?? []).flatMap((inner) => stateLines(inner, page, depth + 1)),
  ];
}
