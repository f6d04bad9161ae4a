/** Partitions as a calendar (windows by month, day or year) or a matrix (combinations); a number says how often one was written. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { AssetCellView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { useNow } from "../../parts/now.ts";
import { clockText } from "../../parts/time-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { arrange, type CellRow } from "./arrange.ts";

const route = getRouteApi("/assets/$asset");

export function Cells({ asset }: { readonly asset: string }) {
  const { until, partition } = route.useSearch();
  const path = `/assets/${encodeURIComponent(asset)}/cells` as const;
  // An instant leads to earlier windows; all else is a key after which others are listed.
  const place = until === undefined ? {} : /^\d{4}-\d\d-\d\dT/.test(until) ? { until } : { after: until };
  const { data, error } = useQuery({
    ...one("assets", path, place),
    placeholderData: (before) => before,
  });
  if (error) return <Trouble error={error} />;
  if (!data) return <p className="quiet">Reading…</p>;
  if (data.cells.length === 0)
    return (
      <p className="quiet">
        {data.kind === "dynamic"
          ? "No key is known yet: keys become known as they are written."
          : "There is none by now."}
      </p>
    );
  const rows = arrange(data);
  return (
    <>
      <div className="partitions" role="group" aria-label={`${data.cells.length} partitions`}>
        {rows.map((row) => (
          <Row key={row.name} row={row} selected={partition} />
        ))}
      </div>
      <p className="legend quiet">
        <span className="cell-key present">there</span> <span className="cell-key missing">missing</span>{" "}
        <span className="cell-key open">not over yet</span> <span>a number: written so often</span>
        <span className="gap" />
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

function Row({ row, selected }: { readonly row: CellRow; readonly selected: string | undefined }) {
  return (
    <div className="partition-row">
      <span className="quiet cut" title={row.name}>
        {row.name}
      </span>
      <span className="partition-cells">
        {row.cells.map((cell, at) =>
          cell === undefined ? (
            <i key={at} className="blank" />
          ) : (
            <Cell key={cell.key} cell={cell} label={row.labels[at]} isSelected={cell.key === selected} />
          ),
        )}
      </span>
    </div>
  );
}

interface CellProps {
  readonly cell: AssetCellView;
  readonly label: string | undefined;
  readonly isSelected: boolean;
}

function Cell({ cell, label, isSelected }: CellProps) {
  const now = useNow();
  const { asset } = route.useParams();
  const { key, state, updates, at } = cell;
  const word = { present: "there", missing: "missing", open: "not over yet" }[state];
  const told = `${key}: ${word}${updates > 1 ? `, written ${updates} times` : ""}${at === undefined ? "" : `, last ${clockText(Date.parse(at), now)}`}`;
  return (
    <Link
      to="/assets/$asset"
      params={{ asset }}
      search={(before) => ({ ...before, partition: key })}
      className={`${state}${label === undefined ? "" : " named"}${isSelected ? " selected" : ""}`}
      title={told}
      aria-label={told}
      preload={false}
    >
      {label ?? (updates > 1 ? (updates > 99 ? "+" : updates) : state === "missing" ? "○" : "")}
    </Link>
  );
}
