/** One tick of a calendar: what it started, or will start. */
import { stateKind, stateMark, stateWord } from "../../parts/state.tsx";
import { durationText, exactText } from "../../parts/time-text.ts";
import type { Became } from "./outcome.ts";
import type { Entry } from "./plan.ts";

interface Look {
  readonly mark: string;
  readonly word: string;
  readonly kind: string;
}

function lookOf(became: Became): Look | undefined {
  switch (became.kind) {
    case "ran": {
      const { state, late } = became;
      const word = `${state === undefined ? "it ran" : stateWord(state)}${late ? `, ${durationText(late.ms)} late: it ${late.why === "waited" ? "waited for room" : "was caught up"}` : ""}`;
      return state === undefined
        ? { mark: "●", word, kind: "off" }
        : { mark: stateMark(state), word, kind: stateKind(state) };
    }
    case "no run":
      return { mark: "–", word: `no run: ${became.reason}`, kind: "off" };
    case "missed":
      return { mark: "▲", word: "missed: nobody was there, and it was not caught up", kind: "warn" };
    case "kept":
      return { mark: "‖", word: "kept until the pipeline is resumed", kind: "warn" };
    default:
      return undefined;
  }
}

export function Tick({ entry, now }: { readonly entry: Entry; readonly now: number }) {
  const { schedule, at, time, became, overlap } = entry;
  const { pipeline, paused, alone } = schedule;
  const look = lookOf(became);
  const title = titleOf(entry, look?.word);
  const className = `tick cut${at < now ? " past" : ""}${paused ? " paused" : ""}`;
  const content = (
    <>
      <span className="quiet">{time}</span>{" "}
      {look && (
        <span className={`state ${look.kind}`}>
          <span className="mark" aria-hidden="true">
            {look.mark}
          </span>
          <span className="unseen">{look.word}</span>
        </span>
      )}
      {paused && became.kind !== "kept" && "‖ "}
      {pipeline}
      {!alone && <span className="quiet"> and more</span>}
      {became.kind === "ran" && became.late && (
        <span className="warn-text"> {durationText(became.late.ms)} late</span>
      )}
      {overlap !== undefined && (
        <span className="warn-text">
          {" "}
          <span aria-hidden="true">◫</span>
          <span className="unseen"> overlaps the next one</span>
        </span>
      )}
    </>
  );
  // A week has a thousand of them: the calendar follows their clicks.
  const href =
    became.kind === "ran"
      ? `/runs/${encodeURIComponent(became.run)}`
      : `/triggers/${encodeURIComponent(pipeline)}`;
  return (
    <a href={href} className={className} title={title}>
      {content}
    </a>
  );
}

function titleOf({ schedule, at, overlap, became: { kind } }: Entry, became: string | undefined): string {
  return [
    `${schedule.pipeline}: ${schedule.schedule}`,
    exactText(at),
    kind === "before" ? "Its trigger was deployed, as it is now, only later." : (became ?? ""),
    schedule.paused ? "It is paused: this tick is kept until it is resumed." : "",
    schedule.alone ? "" : "Its condition asks for more than this tick.",
    schedule.jitterMs === undefined ? "" : "Its runs begin a little later, spread over time.",
    overlap === undefined
      ? ""
      : `By its last runs it is ${overlap === "always" ? "usually" : "sometimes"} still running at the next tick.`,
  ]
    .filter((part) => part !== "")
    .join("\n");
}
