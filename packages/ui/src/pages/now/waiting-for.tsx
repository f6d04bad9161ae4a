/** What is waited for, grouped by what is awaited. */
import { Link } from "@tanstack/react-router";
import type { Overview, WaitGroupView } from "@millrace/protocol";
import { Code } from "../../parts/code.tsx";
import { firstWait } from "../../parts/first-code.ts";
import { countOf, countText, numberText } from "../../parts/number-text.ts";
import { ShortTable, type ShortColumn } from "../../parts/short-table.tsx";
import { Ago } from "../../parts/time.tsx";

const columns: readonly ShortColumn<WaitGroupView>[] = [
  {
    name: "awaited",
    isLong: true,
    cell: ({ kind, text, oldest }) => (
      <>
        <span className="wait-mark" aria-hidden="true">
          {kind === "approval" ? "?" : "◷"}
        </span>{" "}
        {kind === "approval" ? (
          <Link to="/approvals">{text}</Link>
        ) : (
          <Link to="/runs/$run" params={{ run: oldest.run }} search={{ node: oldest.node }}>
            {text}
          </Link>
        )}
      </>
    ),
  },
  { name: "waits", isNumber: true, cell: ({ waits }) => numberText(waits) },
  {
    name: "of",
    isLong: true,
    cell: ({ pipelines }) =>
      pipelines.map(({ pipeline }, index) => (
        <span key={pipeline}>
          {index > 0 && ", "}
          <Link to="/runs" search={{ pipeline, state: "waiting" }}>
            {pipeline}
          </Link>
        </span>
      )),
  },
  {
    name: "oldest",
    isNumber: true,
    cell: ({ oldest }) => (
      <Link to="/runs/$run" params={{ run: oldest.run }} search={{ node: oldest.node }}>
        <Ago at={oldest.since} />
      </Link>
    ),
  },
  {
    name: "next ends",
    isNumber: true,
    cell: ({ nextTimeoutAt }) =>
      nextTimeoutAt === undefined ? <span className="quiet">–</span> : <Ago at={nextTimeoutAt} />,
  },
];

export function WaitingFor({ waits }: { readonly waits: Overview["waits"] }) {
  const { total, groups, looked } = waits;
  const isSample = total.isMore || looked < total.count;
  return (
    <section className="block">
      <div className="block-head">
        <h2>Waiting for</h2>
        <span className="quiet">
          {total.count === 0
            ? ""
            : isSample
              ? `${countText(total)} waits; of them, ${numberText(looked)} that began first and last`
              : countOf(total, "wait")}
        </span>
      </div>
      <ShortTable
        label="Waiting for"
        rows={groups}
        columns={columns}
        keyOf={({ kind, text }) => `${kind} ${text}`}
        empty={<NoWaits />}
      />
    </section>
  );
}

function NoWaits() {
  return (
    <>
      <p>Nothing waits. A wait holds no worker and no slot; declare one in a pipeline&apos;s body:</p>
      <Code text={firstWait} />
    </>
  );
}
