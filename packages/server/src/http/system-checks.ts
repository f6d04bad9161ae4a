/** Findings that the server can make by itself, in the shape of `millrace doctor`. */
import type { CheckView, ServerNodeView, WebhookView } from "@millrace/protocol";
import type { DatabaseState, MigrationStatus } from "@millrace/store";

export interface CheckParts {
  readonly webhooks: readonly WebhookView[];
  readonly nodes: readonly ServerNodeView[];
  readonly state: DatabaseState;
  readonly migrations: MigrationStatus;
}

/** An open transaction keeps dead rows from being removed in all tables. */
const transactionMsMax = 5 * 60_000;
/** PostgreSQL begins to guard itself at 200 million, and stops at 2,000 million. */
const transactionAgeMax = 1_000_000_000;
const connectionsShare = 0.8;
/** Messages between shards that wait longer than a moment. */
const inboxMax = 10_000;

export function systemChecks(parts: CheckParts): CheckView[] {
  return [
    servers(parts.nodes),
    schema(parts.migrations),
    durability(parts.state),
    connections(parts.state),
    openTransactions(parts.state),
    vacuum(parts.state),
    partitions(parts.state),
    inbox(parts.state),
    webhooks(parts.webhooks),
  ];
}

function servers(nodes: readonly ServerNodeView[]): CheckView {
  const name = "Servers";
  const live = nodes.filter(({ state }) => state === "live");
  const silent = nodes.filter(({ state, shards }) => state === "silent" && shards > 0);
  const versions = new Set(live.map(({ version }) => version));
  if (silent.length > 0) {
    return {
      name,
      verdict: "warn",
      finding: `${silent.map((node) => node.name).join(", ")} no longer renews its lease`,
      advice:
        "Another server takes its shards within seconds. If that does not happen, look at the logs of the others.",
    };
  }
  if (versions.size > 1) {
    return {
      name,
      verdict: "warn",
      finding: `Millrace ${[...versions].join(" and ")} run side by side`,
      advice: "Finish the upgrade: stop the older servers one after the other.",
    };
  }
  return { name, verdict: "ok", finding: `${live.length} live, Millrace ${[...versions].join()}` };
}

function schema({ applied, pending, newer }: MigrationStatus): CheckView {
  const name = "Schema";
  if (newer.length > 0) {
    return {
      name,
      verdict: "warn",
      finding: "a newer version has changed the database's schema",
      advice: "Upgrade this server to the version of the newest one.",
    };
  }
  if (pending.length > 0) {
    return {
      name,
      verdict: "fail",
      finding: `${pending.length} migrations are not applied`,
      advice: "Run `millrace migrate`.",
    };
  }
  return { name, verdict: "ok", finding: `migration ${applied.at(-1) ?? 0}, none pending` };
}

function durability({ fsync, synchronousCommit }: DatabaseState): CheckView {
  const name = "Durability";
  if (fsync && synchronousCommit !== "off")
    return { name, verdict: "ok", finding: `fsync is on, synchronous_commit is ${synchronousCommit}` };
  return {
    name,
    verdict: "warn",
    finding: `fsync is ${fsync ? "on" : "off"}, synchronous_commit is ${synchronousCommit}`,
    advice:
      "What was acknowledged may be lost when the machine stops: turn both on in PostgreSQL's settings.",
  };
}

function connections({ connections: used, connectionsMax }: DatabaseState): CheckView {
  const name = "Connections";
  const finding = `${used} of ${connectionsMax} in use`;
  if (used < connectionsMax * connectionsShare) return { name, verdict: "ok", finding };
  return {
    name,
    verdict: "warn",
    finding,
    advice: "Raise PostgreSQL's max_connections: each server takes up to 13.",
  };
}

function openTransactions({ oldestTransactionMs }: DatabaseState): CheckView {
  const name = "Open transactions";
  const seconds = Math.round(oldestTransactionMs / 1000);
  if (oldestTransactionMs < transactionMsMax)
    return {
      name,
      verdict: "ok",
      finding: seconds < 1 ? "none is old" : `the oldest is open for ${seconds} s`,
    };
  return {
    name,
    verdict: "warn",
    finding: `one is open for ${Math.round(seconds / 60)} min`,
    advice:
      "Rows that were deleted since stay on disk. Find it in pg_stat_activity by its xact_start, and end it.",
  };
}

function vacuum({ autovacuum, transactionAge }: DatabaseState): CheckView {
  const name = "Vacuum";
  const millions = Math.round(transactionAge / 1_000_000);
  const age = millions < 1 ? "" : `, the oldest row is ${millions} million transactions old`;
  const finding = `autovacuum is ${autovacuum ? "on" : "off"}${age}`;
  if (autovacuum && transactionAge < transactionAgeMax) return { name, verdict: "ok", finding };
  return {
    name,
    verdict: autovacuum ? "warn" : "fail",
    finding,
    advice: autovacuum
      ? "Vacuum can't keep up: look for old transactions and abandoned replication slots."
      : "Turn autovacuum on: without it tables grow, and PostgreSQL stops at 2,000 million.",
  };
}

function partitions({ strayRows }: DatabaseState): CheckView {
  const name = "Partitions";
  if (strayRows === 0) return { name, verdict: "ok", finding: "each day has its own" };
  return {
    name,
    verdict: "warn",
    finding: `${strayRows} rows stand in no day's partition`,
    advice:
      "They move when their day's partition is made, within the hour. If they stay, look at the server's log.",
  };
}

function inbox({ inbox: waiting }: DatabaseState): CheckView {
  const name = "Messages between shards";
  if (waiting < inboxMax)
    return { name, verdict: "ok", finding: waiting === 0 ? "none waits" : `${waiting} wait` };
  return {
    name,
    verdict: "warn",
    finding: `more than ${inboxMax} wait`,
    advice: "The servers can't keep up: add one, or look whether one is silent.",
  };
}

function webhooks(all: readonly WebhookView[]): CheckView {
  const name = "Webhooks";
  const lacking = all.filter(({ missingSecrets }) => missingSecrets.length > 0);
  if (lacking.length === 0)
    return {
      name,
      verdict: "ok",
      finding: all.length === 0 ? "none is deployed" : `${all.length}, with their secrets`,
    };
  return {
    name,
    verdict: "warn",
    finding: lacking.map((hook) => `${hook.name} needs ${hook.missingSecrets.join(", ")}`).join("; "),
    advice:
      "Start the server with these variables in its environment; until then deliveries can't be judged.",
  };
}
