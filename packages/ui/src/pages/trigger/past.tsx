/** A trigger's past: the slider through its moments, and the tree as it stood at the chosen one. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";
import type {
  EventView,
  ExplanationView,
  HistoricFiring,
  TriggerHistoryView,
  TriggerMomentView,
} from "@millrace/protocol";
import { listen } from "../../api/live.ts";
import { one } from "../../api/queries.ts";
import { Csv } from "../../parts/csv.tsx";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { FiringOutcome } from "./firings.tsx";
import { Member } from "./member.tsx";
import { changedIn, momentId, placeOfMoment } from "./past-model.ts";
import { PastLine } from "./past-line.tsx";
import { StateTree } from "./state-tree.tsx";
import "../../styles/trigger.css";

const route = getRouteApi("/triggers/$pipeline");
const gatherMs = 500;
/** A long history is told again less often. */
const gatherLongMs = 10_000;
const longMoments = 100;
/** A timer of the browser holds no more. */
const timerMaxMs = 2_000_000_000;

interface PastProps {
  readonly pipeline: string;
  /** Absent where the trigger has no keys. */
  readonly historyKey: string | undefined;
  /** The state as it is now. */
  readonly now: ExplanationView | undefined;
  readonly children: ReactNode;
}

/** `children`: what is shown of now, where no moment is chosen. */
export function Past({ pipeline, historyKey, now, children }: PastProps) {
  const { at, to } = route.useSearch();
  const navigate = route.useNavigate();
  const path = `/triggers/${encodeURIComponent(pipeline)}/history` as const;
  const recent = useQuery({
    ...one("triggers", path, { key: historyKey, until: to }),
    retry: false,
    placeholderData: (before) => before,
  });
  const isAway =
    at !== undefined &&
    recent.data !== undefined &&
    !recent.isPlaceholderData &&
    placeOfMoment(recent.data.moments, at) === undefined &&
    (recent.data.earlier > 0 || !recent.data.isWhole || isBefore(at, recent.data));
  const away = useQuery({
    ...one("triggers", path, { key: historyKey, until: at }),
    retry: false,
    enabled: isAway,
  });
  const history = isAway ? away.data : recent.data;
  useNews(history, now);
  const error = isAway ? away.error : recent.error;
  if (error) return <Trouble error={error} />;
  if (!history) return <p className="quiet">Telling the log again…</p>;
  const { moments } = history;
  const chosen = at === undefined ? undefined : placeOfMoment(moments, at);
  const moment = chosen === undefined ? undefined : moments[chosen];
  const choose = (place: number | undefined): void => {
    const id = place === undefined ? undefined : momentId(moments[place]!);
    if (id === at) return;
    void navigate({
      search: ({ at: _at, to: _to, ...rest }) => ({
        ...rest,
        ...(id === undefined ? {} : { at: id, ...(to === undefined ? {} : { to }) }),
      }),
      replace: true,
    });
  };
  return (
    <>
      {moments.length > 0 && (
        <section aria-label="Past">
          <div className="past-head">
            <button
              type="button"
              className="button"
              aria-label="The moment before"
              disabled={chosen === 0}
              onClick={() => choose((chosen ?? moments.length) - 1)}
            >
              ‹
            </button>
            <button
              type="button"
              className="button"
              aria-label="The moment after"
              disabled={chosen === undefined}
              onClick={() => choose(chosen === moments.length - 1 ? undefined : (chosen ?? 0) + 1)}
            >
              ›
            </button>
            <button
              type="button"
              className="button"
              disabled={at === undefined && to === undefined}
              onClick={() =>
                void navigate({ search: ({ at: _at, to: _to, ...rest }) => rest, replace: true })
              }
            >
              Now
            </button>
            <span className="quiet">
              {chosen === undefined ? "" : `moment ${chosen + 1} of `}
              {moments.length === 1 ? "one moment" : `${moments.length} moments`}
              {history.earlier > 0 && (
                <>
                  , {history.earlier} before these:{" "}
                  <Link from={route.id} to="." search={(before) => ({ ...before, ...earlierThan(moments) })}>
                    earlier
                  </Link>
                </>
              )}
            </span>
            <Csv
              name={`${pipeline}-past`}
              header={["at", "position", "type", "subject", "operands", "firings"]}
              rows={() =>
                moments.map(({ at: instant, position, event, operands, firings }) => [
                  instant,
                  position,
                  event?.type,
                  event?.subject,
                  operands.join(" "),
                  firings.length,
                ])
              }
            />
          </div>
          <PastLine history={history} chosen={chosen} onChoose={choose} />
          {!history.isWhole && (
            <p className="quiet">
              Told again from position {history.from.position} of the log, not from where the condition began:
              what it gathered before is missing here.
            </p>
          )}
        </section>
      )}
      {at !== undefined && moment ? (
        <AsItStood
          moment={moment}
          before={chosen === 0 ? history.before : moments[(chosen ?? 1) - 1]?.state}
          condition={history.condition}
        />
      ) : at === undefined ? (
        children
      ) : (
        <section>
          <p>Nothing had come for it by then: this is how it began.</p>
          <StateTree state={history.before} />
        </section>
      )}
    </>
  );
}

function isBefore(at: string, { began }: TriggerHistoryView): boolean {
  return /^\d+$/.test(at) ? Number(at) < began.position : Date.parse(at) < Date.parse(began.at);
}

/** The page of moments that ends with the first of these. */
function earlierThan([first]: readonly TriggerMomentView[]): { readonly to?: string; readonly at?: string } {
  return first ? { to: first.at, at: momentId(first) } : {};
}

function AsItStood({
  moment,
  before,
  condition,
}: {
  readonly moment: TriggerMomentView;
  readonly before: ExplanationView | undefined;
  readonly condition: string;
}) {
  const { at, position, event, operands, firings, state } = moment;
  return (
    <section aria-label="As it stood">
      <h2>
        As it stood at <Clock at={at} />
      </h2>
      <p>
        {event ? (
          <>
            <Link to="/events" search={{ event: String(position) }}>
              {event.type}
              {event.subject === undefined ? "" : ` ${event.subject}`}
            </Link>{" "}
            came, entry {position} of the log
            {operands.length > 0 && (
              <>
                , and counted for <strong>{operands.join(", ")}</strong>
              </>
            )}
            .
          </>
        ) : operands.length > 0 ? (
          <>
            The time of <strong>{operands.join(", ")}</strong> came.
          </>
        ) : (
          "Its time was over: a deadline of the condition passed."
        )}{" "}
        {firings.length === 0 && "Nothing fired."}
      </p>
      {firings.map((firing, index) => (
        <Fired key={index} firing={firing} />
      ))}
      <h3>{firings.length > 0 ? "Afterwards" : "What it had, and what it waited for"}</h3>
      <p className="quiet">{condition}</p>
      <StateTree state={state} changed={changedIn(before, state)} />
    </section>
  );
}

function Fired({ firing }: { readonly firing: HistoricFiring }) {
  const { members, memberCount, partition, revision, real } = firing;
  return (
    <div className="note">
      <p>
        <span className="state good">
          <span className="mark" aria-hidden="true">
            ✓
          </span>
          <strong>it fired</strong>
        </span>
        {partition !== undefined && <> for {partition}</>}
        {revision > 1 && <span className="quiet"> (revision {revision})</span>}:{" "}
        {real ? (
          <FiringOutcome firing={real} />
        ) : (
          <span className="quiet">no such firing is kept: it is too old, or a pause left it out</span>
        )}
      </p>
      <ul className="members">
        {members.map((member, at) => (
          <li key={`${member.operand} ${member.position ?? member.at ?? at}`}>
            <span className="state good" aria-hidden="true">
              ✓
            </span>{" "}
            <Member member={member} hasOperand />
          </li>
        ))}
        {memberCount > members.length && (
          <li className="quiet">… and {memberCount - members.length} others</li>
        )}
      </ul>
    </div>
  );
}

/** What comes for it, and what time decides, is asked for again; nothing while nothing happens. */
function useNews(history: TriggerHistoryView | undefined, now: ExplanationView | undefined): void {
  const queries = useQueryClient();
  const types = history?.types.join(" ");
  const due = now && earliest(now);
  const isLong = (history?.moments.length ?? 0) >= longMoments;
  useEffect(() => {
    if (types === undefined) return undefined;
    const wanted = types.split(" ");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const renew = (): void => {
      timer = undefined;
      void queries.invalidateQueries({ queryKey: ["triggers"] });
    };
    const unlisten = listen("log", {
      onData: (data) => {
        const { type } = (data as EventView).event;
        const isOurs = wanted.some((one) =>
          one.endsWith("*") ? type.startsWith(one.slice(0, -1)) : one === type,
        );
        if (isOurs) timer ??= setTimeout(renew, isLong ? gatherLongMs : gatherMs);
      },
    });
    const wait = due === undefined ? Infinity : due - Date.now() + gatherMs;
    const alarm = wait > timerMaxMs ? undefined : setTimeout(renew, Math.max(gatherMs * 2, wait));
    return () => {
      clearTimeout(timer);
      clearTimeout(alarm);
      unlisten();
    };
  }, [queries, types, due, isLong]);
}

function earliest({ due, of = [] }: ExplanationView): number | undefined {
  const all = [due === undefined ? undefined : Date.parse(due), ...of.map(earliest)];
  const known = all.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
