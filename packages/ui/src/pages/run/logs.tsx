/** What a run's attempts logged: all nodes or one, as it comes, from any place, with levels, a search and jumps to errors. */
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { countOf } from "../../parts/number-text.ts";
import { DownloadLink } from "../../parts/download-link.tsx";
import { clockText } from "../../parts/time-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { LogLines } from "./log-lines.tsx";
import {
  beginning,
  findError,
  logLevels,
  queryOf,
  useLog,
  type FoundLine,
  type LogFilter,
  type LogLevel,
} from "./use-log.ts";
import { isUnderWay, logKey, type LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");
const typingMs = 300;

export function Logs({ live }: { readonly live: LiveRun }) {
  const { run } = live;
  const { node, item, level, find, at } = route.useSearch();
  const filter: LogFilter = {
    run: run.id,
    node,
    item,
    find,
    level: logLevels.find((one) => one === level) ?? "debug",
  };
  const { window, state } = useLog(filter, { at, isLive: isUnderWay(run) });
  const [isWrapped, setWrapped] = useState(false);
  const [isRaw, setRaw] = useState(false);
  const [found, setFound] = useState<FoundLine>();
  const { lines, isReading, error, hasBefore, hasAfter } = state;
  const shownError = found && at === found.before ? found : undefined;
  return (
    <>
      <Filters live={live} filter={filter} />
      <div className="log-tools">
        <Jumps filter={filter} window={window} found={shownError} onFound={setFound} />
        <label className="choice">
          <input type="checkbox" checked={isWrapped} onChange={({ target }) => setWrapped(target.checked)} />{" "}
          wrap
        </label>
        <label className="choice" title="As it was written: without times and nodes, with codes of colours">
          <input type="checkbox" checked={isRaw} onChange={({ target }) => setRaw(target.checked)} /> raw
        </label>
        <span className="quiet told" role="status">
          {toldOf(state)}
        </span>
        <span className="gap" />
        <Downloads filter={filter} />
      </div>
      {error && <Trouble error={error} />}
      {lines.length === 0 && !isReading && !hasBefore && !hasAfter && !error ? (
        <p className="empty">
          {node === undefined && find === undefined && filter.level === "debug"
            ? "Nothing was logged. What tasks print or tell `ctx.log` stands here as it comes."
            : "No line is like that."}
        </p>
      ) : (
        <LogLines
          window={window}
          state={state}
          look={{ isWrapped, isRaw, find, marked: shownError && logKey(shownError.entry) }}
        />
      )}
    </>
  );
}

function toldOf({
  lines,
  isReading,
  hasBefore,
  hasAfter,
  lookedAt,
  fresh,
}: ReturnType<typeof useLog>["state"]): string {
  if (isReading && lookedAt !== undefined)
    return `looked until ${clockText(Date.parse(lookedAt), Date.now())}, looking on…`;
  if (isReading && lines.length === 0) return "reading…";
  const isPart = hasBefore || hasAfter;
  const parts = [isPart ? `${countOf(lines.length, "line")} in hand` : countOf(lines.length, "line")];
  if (hasBefore) parts.push("more before");
  if (hasAfter) parts.push("more after");
  if (fresh > 0) parts.push(`${fresh} new at the end`);
  return parts.join(", ");
}

function Filters({ live, filter }: { readonly live: LiveRun; readonly filter: LogFilter }) {
  const { node, item, level, find = "" } = filter;
  const navigate = route.useNavigate();
  const [typed, setTyped] = useState(find);
  const set = (change: { node?: string; level?: string; find?: string }): void => {
    void navigate({
      search: ({ at: _at, ...before }) => {
        const next = { ...before, ...change };
        if (change.node !== undefined) delete next.item;
        for (const name of ["node", "level", "find"] as const) if (next[name] === "") delete next[name];
        return next;
      },
      replace: true,
    });
  };
  useEffect(() => {
    if (typed === find) return undefined;
    const timer = setTimeout(() => set({ find: typed }), typingMs);
    return () => clearTimeout(timer);
    // Only what is typed begins it.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [typed]);
  useEffect(() => setTyped(find), [find]);
  return (
    <div className="filters">
      <select
        className="field"
        aria-label="node"
        value={node ?? ""}
        onChange={({ target }) => set({ node: target.value })}
      >
        <option value="">all nodes</option>
        {live.picture.nodes().map(({ id }) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
      {item !== undefined && (
        <span>
          item [{item}]{" "}
          <button
            type="button"
            className="fold link"
            onClick={() => {
              void navigate({ search: ({ item: _item, at: _at, ...rest }) => rest, replace: true });
            }}
          >
            all items
          </button>
        </span>
      )}
      <select
        className="field"
        aria-label="least level"
        value={level}
        onChange={({ target }) => set({ level: target.value === "debug" ? "" : target.value })}
      >
        {logLevels.map((one) => (
          <option key={one} value={one}>
            {levelText(one)}
          </option>
        ))}
      </select>
      <input
        className="field"
        type="search"
        data-filter
        aria-label="find in lines"
        placeholder="find  /"
        maxLength={500}
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
      />
    </div>
  );
}

function levelText(level: LogLevel): string {
  if (level === "debug") return "all levels";
  return level === "error" ? "errors" : `${level} and above`;
}

interface JumpsProps {
  readonly filter: LogFilter;
  readonly window: ReturnType<typeof useLog>["window"];
  readonly found: FoundLine | undefined;
  readonly onFound: (found: FoundLine) => void;
}

function Jumps({ filter, window, found, onFound }: JumpsProps) {
  const navigate = route.useNavigate();
  const [told, setTold] = useState<string>();
  const go = (at: string | undefined): void => {
    setTold(undefined);
    void navigate({
      search: ({ at: _at, ...rest }) => (at === undefined ? rest : { ...rest, at }),
      replace: true,
    });
  };
  const look = async (): Promise<void> => {
    setTold("looking…");
    try {
      const next = await findError(filter, found?.after, (until) =>
        setTold(
          until === undefined ? "looking…" : `looked until ${clockText(Date.parse(until), Date.now())}…`,
        ),
      );
      if (!next) return setTold(found ? "there is no further error" : "no line is an error");
      setTold(undefined);
      onFound(next);
      // What is before and after it is what one wants to see.
      void navigate({
        search: ({ level: _level, find: _find, ...rest }) => ({ ...rest, at: next.before }),
        replace: true,
      });
    } catch (error) {
      setTold((error as Error).message);
    }
  };
  return (
    <>
      <button type="button" className="button" onClick={() => go(beginning)}>
        beginning
      </button>
      <button
        type="button"
        className="button"
        onClick={() => {
          go(undefined);
          // Where it was at the end before, the address stays the same.
          void window.openEnd();
        }}
      >
        end
      </button>
      <button type="button" className="button" onClick={() => void look()}>
        {found ? "next error" : "first error"}
      </button>
      {told !== undefined && <span role="status">{told}</span>}
    </>
  );
}

function Downloads({ filter }: { readonly filter: LogFilter }) {
  const path = `/runs/${encodeURIComponent(filter.run)}/log` as const;
  const query = queryOf(filter);
  return (
    <span className="quiet">
      download as{" "}
      <DownloadLink path={path} query={query} name={`${filter.run}.log`}>
        text
      </DownloadLink>
      {", "}
      <DownloadLink path={path} query={{ ...query, format: "ndjson" }} name={`${filter.run}.ndjson`}>
        NDJSON
      </DownloadLink>
    </span>
  );
}
