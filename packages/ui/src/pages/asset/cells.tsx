/**
 * Partitions as a calendar (windows by month, day or year) or a matrix (combinations); a number says how often one was written.
 * The arrow keys move between them.
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, type CSSProperties, type KeyboardEvent } from "react";
import type { AssetCellsView, AssetCellView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Download } from "../../parts/download.tsx";
import { exactText } from "../../parts/time-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { csvOf } from "../assets/csv.ts";
import { arrange, type Arranged, type CellRow } from "./arrange.ts";

const route = getRouteApi("/assets/$asset");

export function Cells({ asset }: { readonly asset: string }) {
  const { until } = route.useSearch();
  const path = `/assets/${encodeURIComponent(asset)}/cells` as const;
  // An instant leads to earlier windows; all else is a key after which others are listed.
  const place = until === undefined ? {} : /^\d{4}-\d\d-\d\dT/.test(until) ? { until } : { after: until };
  const { data, error } = useQuery({
    ...one("assets", path, place),
    placeholderData: (before) => before,
  });
  const arranged = useMemo(() => data && arrange(data), [data]);
  if (error) return <Trouble error={error} />;
  if (!data || !arranged) return <p className="quiet">Reading…</p>;
  if (data.cells.length === 0)
    return (
      <p className="quiet">
        {data.kind === "dynamic"
          ? "No key is known yet: keys become known as they are written."
          : "There is none by now."}
      </p>
    );
  return (
    <>
      <Grid arranged={arranged} count={data.cells.length} isNamed={arranged.heads === undefined} />
      <p className="legend quiet">
        <span className="cell-key present">there</span> <span className="cell-key missing">missing</span>{" "}
        <span className="cell-key open">not over yet</span> <span>a number: written so often</span>
        <span className="gap" />
        <Download
          name={`${asset.replaceAll("/", "-")}-partitions.csv`}
          type="text/csv"
          text={() => cellsCsv(data)}
        >
          as CSV
        </Download>
        {until !== undefined && (
          <Link to="/assets/$asset" params={{ asset }} search={({ until: _until, ...rest }) => rest}>
            the newest
          </Link>
        )}
        {(data.earlier ?? data.after) !== undefined && (
          <Link
            to="/assets/$asset"
            params={{ asset }}
            search={(before) => ({ ...before, until: data.earlier ?? data.after ?? "" })}
          >
            {data.earlier === undefined ? "further keys" : "earlier ones"}
          </Link>
        )}
      </p>
    </>
  );
}

function cellsCsv({ cells }: AssetCellsView): string {
  return csvOf(
    ["partition", "state", "updates", "revision", "updated"],
    cells.map(({ key, state, updates, revision, at }) => [key, state, updates, revision, at]),
  );
}

interface GridProps {
  readonly arranged: Arranged;
  readonly count: number;
  readonly isNamed: boolean;
}

function Grid({ arranged: { heads, rows }, count, isNamed }: GridProps) {
  const { partition } = route.useSearch();
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const isLong = heads?.some((head) => head.length > 2) ?? false;
  return (
    <div
      className={isNamed ? "partitions" : "partitions in-columns"}
      role="group"
      aria-label={`${count} partitions`}
      onKeyDown={move}
      style={{ "--names": `${Math.min(nameMax, longest) + 1}ch` } as CSSProperties}
    >
      {heads && (
        <div className={isLong ? "partition-row heads long" : "partition-row heads"} aria-hidden="true">
          <span />
          <span className="partition-cells">
            {heads.map((head) => (
              <span key={head}>{head}</span>
            ))}
          </span>
        </div>
      )}
      {rows.map((row, at) => (
        <Row key={row.name} row={row} at={at} selected={partition} isNamed={isNamed} />
      ))}
    </div>
  );
}

/** Characters of a row's name that are shown. */
const nameMax = 20;
const steps: { readonly [key: string]: readonly [rows: number, places: number] } = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

/** To the next cell in that direction, over empty places. */
function move(event: KeyboardEvent<HTMLElement>): void {
  const step = steps[event.key];
  const here = document.activeElement;
  if (!step || !(here instanceof HTMLElement) || here.dataset["row"] === undefined) return;
  const cells = [...event.currentTarget.querySelectorAll<HTMLElement>("a[data-row]")];
  const [row, place] = [Number(here.dataset["row"]), Number(here.dataset["place"])];
  const next =
    step[0] === 0
      ? cells[cells.indexOf(here) + step[1]]
      : nearest(
          cells.filter(({ dataset }) => Number(dataset["row"]) === row + step[0]),
          place,
        );
  event.preventDefault();
  next?.focus();
}

function nearest(cells: readonly HTMLElement[], place: number): HTMLElement | undefined {
  const far = ({ dataset }: HTMLElement): number => Math.abs(Number(dataset["place"]) - place);
  return cells.toSorted((a, b) => far(a) - far(b))[0];
}

interface RowProps {
  readonly row: CellRow;
  readonly at: number;
  readonly selected: string | undefined;
  readonly isNamed: boolean;
}

function Row({ row: { name, places, change }, at, selected, isNamed }: RowProps) {
  return (
    <div className="partition-row">
      <span className="quiet cut" title={name}>
        {name}
      </span>
      <span className="partition-cells">
        {places.map(({ cells, isSkipped }, place) => (
          <span key={cells[0]?.key ?? place} className={isSkipped ? "place skipped" : "place"}>
            {cells.map((cell) => (
              <Cell
                key={cell.key}
                cell={cell}
                label={isNamed ? cell.key : undefined}
                isSelected={cell.key === selected}
                row={at}
                place={place}
              />
            ))}
          </span>
        ))}
        {change !== undefined && <span className="change warn-text">clocks go {change}</span>}
      </span>
    </div>
  );
}

interface CellProps {
  readonly cell: AssetCellView;
  readonly label: string | undefined;
  readonly isSelected: boolean;
  readonly row: number;
  readonly place: number;
}

function Cell({ cell, label, isSelected, row, place }: CellProps) {
  const { asset } = route.useParams();
  const { key, state, updates, at, revision } = cell;
  const word = { present: "there", missing: "missing", open: "not over yet" }[state];
  const told = [
    `${key}: ${word}`,
    updates > 1 ? `written ${updates} times` : "",
    revision !== undefined && revision > 1 ? `revision ${revision}` : "",
    at === undefined ? "" : `last ${exactText(Date.parse(at)).split("\n")[0]}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
  return (
    <Link
      to="/assets/$asset"
      params={{ asset }}
      search={(before) => ({ ...before, partition: key })}
      className={`${state}${label === undefined ? "" : " named"}${isSelected ? " selected" : ""}`}
      title={told}
      aria-label={told}
      preload={false}
      data-row={row}
      data-place={place}
    >
      {label ?? (updates > 1 ? (updates > 99 ? "+" : updates) : state === "missing" ? "○" : "")}
    </Link>
  );
}
