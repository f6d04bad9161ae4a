/** The machinery itself: servers and shards, findings, the event log, the database, retention, deployments. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { CheckView, DeploymentView, ServerNodeView, SystemView, TableView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Head } from "../../parts/head.tsx";
import { Meter } from "../../parts/meter.tsx";
import { bytesText, countOf, numberText } from "../../parts/number-text.ts";
import { ShortTable, type ShortColumn } from "../../parts/short-table.tsx";
import { Ago, Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import "../../styles/now.css";
import { Settings } from "./settings.tsx";

const deploymentsShown = 20;

const nodeColumns: readonly ShortColumn<ServerNodeView>[] = [
  { name: "server", cell: ({ id, name, isThis }) => `${id} ${name}${isThis ? " (this one)" : ""}` },
  { name: "state", cell: ({ state }) => <NodeState state={state} /> },
  { name: "address", isLong: true, cell: ({ url }) => <span className="quiet">{url ?? "–"}</span> },
  { name: "version", cell: ({ version }) => version },
  { name: "shards", isNumber: true, cell: ({ shards }) => shards },
  {
    name: "log behind",
    isNumber: true,
    cell: ({ behind }) => (behind === undefined ? <span className="quiet">–</span> : numberText(behind)),
  },
  { name: "started", isNumber: true, cell: ({ startedAt }) => <Ago at={startedAt} /> },
];

function NodeState({ state }: { readonly state: ServerNodeView["state"] }) {
  const look = {
    live: { mark: "●", kind: "good", word: "live" },
    silent: { mark: "!", kind: "bad", word: "silent" },
    gone: { mark: "–", kind: "off", word: "gone" },
  }[state];
  return (
    <span className={`state ${look.kind}`}>
      <span className="mark" aria-hidden="true">
        {look.mark}
      </span>
      {look.word}
    </span>
  );
}

const tableColumns = (largest: number): readonly ShortColumn<TableView>[] => [
  { name: "table", cell: ({ name }) => <span className="mono">{name}</span> },
  {
    name: "size",
    isNumber: true,
    cell: ({ bytes }) => (
      <span className="size-line">
        <span className="meter" aria-hidden="true">
          <i style={{ width: `${(bytes / largest) * 100}%` }} />
        </span>
        <span className="size">{bytesText(bytes)}</span>
      </span>
    ),
  },
  { name: "indexes", isNumber: true, cell: ({ indexBytes }) => bytesText(indexBytes) },
  { name: "rows, about", isNumber: true, cell: ({ rows }) => (rows === undefined ? "–" : numberText(rows)) },
  {
    name: "days",
    isNumber: true,
    cell: ({ partitions }) => (partitions === 0 ? <span className="quiet">–</span> : partitions),
  },
];

const deploymentColumns: readonly ShortColumn<DeploymentView>[] = [
  { name: "project", cell: ({ project }) => project },
  { name: "no.", isNumber: true, cell: ({ deployment }) => deployment },
  { name: "state", cell: ({ active }) => (active ? "active" : <span className="quiet">earlier</span>) },
  {
    name: "pipelines",
    isLong: true,
    cell: ({ pipelines }) => (
      <span className="quiet" title={pipelines.join(", ")}>
        {pipelines.length > 6
          ? `${pipelines.slice(0, 6).join(", ")} and ${pipelines.length - 6} more`
          : pipelines.join(", ")}
      </span>
    ),
  },
  { name: "bundle", cell: ({ bundle }) => <span className="mono quiet">{bundle.slice(0, 12)}</span> },
  { name: "deployed", isNumber: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
];

export function System() {
  const { data, error, refetch } = useQuery(one("system", "/system"));
  const deployments = useQuery(one("deployments", "/deployments", { limit: deploymentsShown }));
  return (
    <div className="page">
      <Head title="System" name="System">
        {data && sentenceOf(data)}
      </Head>
      {error && <Trouble error={error} onRetry={() => void refetch()} />}
      {data && (
        <>
          <Checks checks={data.checks} />
          <section className="block">
            <h2>Servers</h2>
            <ShortTable label="Servers" rows={data.nodes} columns={nodeColumns} keyOf={({ id }) => id} />
          </section>
          <Settings />
          <div className="halves">
            <section className="block">
              <div className="block-head">
                <h2>Database</h2>
                <span className="quiet">
                  PostgreSQL {data.database.version}
                  {data.database.embedded ? ", embedded" : ""}, {bytesText(data.database.bytes)},{" "}
                  <Meter
                    label="Connections"
                    used={data.database.connections}
                    of={data.database.connectionsMax}
                  />{" "}
                  connections
                </span>
              </div>
              <Tables tables={data.database.tables} />
            </section>
            <div className="parts">
              <EventLog log={data.log} />
              <Retention retention={data.retention} />
            </div>
          </div>
        </>
      )}
      {deployments.error && <Trouble error={deployments.error} />}
      {deployments.data && (
        <section className="block">
          <div className="block-head">
            <h2>Deployments</h2>
            {deployments.data.nextCursor !== undefined && (
              <span className="quiet">the newest {deploymentsShown}</span>
            )}
          </div>
          <ShortTable
            label="Deployments"
            rows={deployments.data.items}
            columns={deploymentColumns}
            keyOf={({ project, deployment }) => `${project} ${deployment}`}
            empty={
              <p>
                Nothing is deployed yet: <code>millrace dev</code> does it as you save,{" "}
                <code>millrace deploy</code> for a server elsewhere.
              </p>
            }
          />
        </section>
      )}
    </div>
  );
}

function sentenceOf({ nodes, checks, log, database, version }: SystemView): string {
  const live = nodes.filter(({ state }) => state === "live").length;
  const found = checks.filter(({ verdict }) => verdict !== "ok").length;
  const findings = found === 0 ? "Nothing to mend" : countOf(found, "finding");
  const lag = log.behind === 0 ? "nothing behind" : `${countOf(log.behind, "entry", "entries")} behind`;
  return `${findings}. Millrace ${version} on ${countOf(live, "server")}; the log is at ${numberText(log.position)}, ${lag}; the database has ${bytesText(database.bytes)}.`;
}

const marks = { ok: "●", warn: "!", fail: "✕" } as const;
const tones = { ok: "calm", warn: "warn", fail: "bad" } as const;

/** What is wrong first. */
function Checks({ checks }: { readonly checks: readonly CheckView[] }) {
  const order = { fail: 0, warn: 1, ok: 2 };
  return (
    <section className="block">
      <h2>Findings</h2>
      <ul className="attention checks">
        {[...checks]
          .sort((a, b) => order[a.verdict] - order[b.verdict])
          .map(({ name, verdict, finding, advice }) => (
            <li key={name} className={`${tones[verdict]} check`}>
              <span className="mark" aria-label={verdict} role="img">
                {marks[verdict]}
              </span>
              <span className="check-name">{name}</span>
              <div className="words">
                <p>{finding}</p>
                {advice !== undefined && <p className="detail">{advice}</p>}
              </div>
            </li>
          ))}
      </ul>
    </section>
  );
}

const tablesFirst = 12;

/** The largest first. */
function Tables({ tables }: { readonly tables: readonly TableView[] }) {
  const [areAll, setAll] = useState(false);
  const rest = tables.slice(tablesFirst);
  const restBytes = rest.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    <>
      <ShortTable
        label="Tables"
        rows={areAll ? tables : tables.slice(0, tablesFirst)}
        columns={tableColumns(Math.max(1, ...tables.map(({ bytes }) => bytes)))}
        keyOf={({ name }) => name}
      />
      {!areAll && rest.length > 0 && (
        <p>
          <button type="button" className="fold link" onClick={() => setAll(true)}>
            {rest.length} smaller ones, {bytesText(restBytes)} together
          </button>
        </p>
      )}
    </>
  );
}

function EventLog({ log }: { readonly log: SystemView["log"] }) {
  return (
    <section className="block">
      <h2>Event log</h2>
      <dl className="facts">
        <dt>last entry</dt>
        <dd>{log.position === 0 ? "none yet" : <Link to="/events">{numberText(log.position)}</Link>}</dd>
        <dt>its clock</dt>
        <dd>{log.clock === undefined ? "–" : <Clock at={log.clock} />}</dd>
        <dt>reaches back to</dt>
        <dd>{log.since === undefined ? "–" : <Clock at={log.since} />}</dd>
        <dt>not told to triggers and waits yet</dt>
        <dd>{numberText(log.behind)}</dd>
        <dt>messages between shards that wait</dt>
        <dd>{numberText(log.inbox)}</dd>
      </dl>
    </section>
  );
}

function Retention({ retention }: { readonly retention: SystemView["retention"] }) {
  return (
    <section className="block">
      <h2>Kept for</h2>
      <dl className="facts">
        <dt>runs, logs, artifacts</dt>
        <dd>{countOf(retention.historyDays, "day")}</dd>
        {retention.events.map(({ name, days }) => (
          <div key={name} className="fact">
            <dt>events: {classText[name] ?? name}</dt>
            <dd>{countOf(days, "day")}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const classText: { readonly [name: string]: string } = {
  short: "signs of life",
  normal: "from outside, of runs",
  long: "of assets",
  audit: "approvals, changes of triggers",
};
