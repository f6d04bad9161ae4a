/** The engine's store on PostgreSQL. The hot statement is `millrace.flush` (`sql/000002_flush.sql`). */
import { assert, type Json } from "@millrace/core";
import type { Pool } from "pg";
import { isConnectionLoss } from "../connection-loss.ts";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";
import type { FlushBatch } from "./flush-batch.ts";
import type { CacheRow, EngineStore, FlushOutcome, InboxRow, LogChange } from "./port.ts";
import { readStored } from "./rows.ts";
import {
  assetParameter,
  flushParameterCount,
  flushParameters,
  logParameterCount,
  logParameters,
} from "./flush-parameters.ts";
import { logHead, readLog, readLogChange, type LogChangeColumns } from "./log-statements.ts";
import {
  loadDueTriggerKeys,
  loadFiringMembers,
  loadGate,
  loadOutbox,
  loadKeysOf,
  loadTriggerKeys,
  loadTriggers,
  readEntries,
  revisedRun,
  readTypes,
} from "./trigger-statements.ts";
import { registerNode, renewLease, fenceExpired, claimShards, lastOutage, leave } from "./node-statements.ts";
import {
  loadQueuedRuns,
  loadRun,
  loadRunPositions,
  loadRuns,
  loadShards,
  loadWaitingRuns,
} from "./load-statements.ts";
import {
  findWaits,
  hasOldWaits,
  loadDueWaits,
  loadEndedWaits,
  loadSteps,
  loadWaits,
  loadWaitsOf,
  nextWaitDue,
  unusedKeyRanges,
} from "./wait-statements.ts";
import {
  countPending,
  sendBounded,
  sendInbox,
  sendToRun,
  sendToWorker,
  wake,
  wakeChannel,
} from "./inbox-statements.ts";
import { loadLookingProbes, loadProbe, positionOfEvent } from "./probe-statements.ts";
import { countThings, loadSource, recallPage, recallThings } from "./source-statements.ts";
import { claimOffers, saveWorker, liveWorkers } from "./worker-statements.ts";

const fencedCode = "MR001";

export function openPostgresEngineStore(database: Database): EngineStore {
  const pool = database.engine;
  return {
    registerNode: (node) => registerNode(pool, node),
    renewLease: (nodeId, leaseMs) => renewLease(pool, nodeId, leaseMs),
    fenceExpired: (marginMs) => fenceExpired(pool, marginMs),
    claimShards: (nodeId, count) => claimShards(pool, nodeId, count),
    releaseShards: async (nodeId, shards) => {
      await pool.query({
        name: "release-shards",
        text: "update shard set node_id = null where node_id = $1 and shard = any($2)",
        values: [nodeId, shards],
      });
    },
    leave: (nodeId) => leave(pool, nodeId),
    ownedShards: async (nodeId) => {
      const { rows } = await pool.query<{ shard: number }>({
        name: "owned-shards",
        text: "select shard from shard where node_id = $1 order by shard",
        values: [nodeId],
      });
      return rows.map((row) => row.shard);
    },
    lastOutage: (nodeId) => lastOutage(pool, nodeId),
    flush: (nodeId, number, batch) => flush(pool, nodeId, number, batch),
    tryFlush: (nodeId, number, batch) => tryFlush(pool, nodeId, number, batch),
    isPoison,
    lastFlush: async (nodeId) => {
      const { rows } = await pool.query<{
        last_flush: number;
        fenced: boolean;
        change: LogChangeColumns | null;
      }>({
        name: "last-flush",
        text: `select last_flush, fenced,
            (select change from log_head where node_id = n.id and flush = n.last_flush limit 1) as change
          from node as n where id = $1`,
        values: [nodeId],
      });
      const row = rows[0];
      if (!row) return { number: 0, fenced: true };
      const log = row.change === null ? {} : { log: readLogChange(row.change) };
      return { number: row.last_flush, fenced: row.fenced, ...log };
    },
    loadShards: (nodeId, shards) => loadShards(pool, nodeId, shards),
    loadQueuedRuns: (shards, afterId, limit) => loadQueuedRuns(pool, shards, afterId, limit),
    loadRun: (key) => loadRun(pool, key),
    loadRuns: (workspace, ids) => loadRuns(pool, workspace, ids),
    liveRuns: async (workspace, ids) => {
      const { rows } = await pool.query<{ id: string }>({
        name: "live-runs",
        text: "select id from run where workspace = $1 and id = any($2)",
        values: [workspace, ids],
      });
      return rows.map((row) => row.id);
    },
    loadRunPositions: (workspace, ids) => loadRunPositions(pool, workspace, ids),
    loadWaitingRuns: (shards, until, limit) => loadWaitingRuns(pool, shards, until, limit),
    loadInbox: async (shards, limit) => {
      const { rows } = await pool.query<InboxRow>({
        name: "load-inbox",
        text: "select id, shard, message from inbox where shard = any($1) order by id limit $2",
        values: [shards, limit],
      });
      return rows;
    },
    sendInbox: (messages) => sendInbox(pool, messages),
    sendBounded: (message, pendingMax) => sendBounded(pool, message, pendingMax),
    countPending: (shard, max) => countPending(pool, shard, max),
    sendToRun: (key, message) => sendToRun(pool, key, message),
    wake: (shards) => wake(pool, shards),
    onWake: async (listener) =>
      database.listen({
        channels: [wakeChannel],
        onNotification: (_channel, payload) =>
          listener(payload === "offers" || payload === "log" ? payload : payload.split(",").map(Number)),
        onCatchUp: () => listener("all"),
      }),
    wakeLog: async () => {
      await pool.query({ name: "wake", text: "select pg_notify($1, $2)", values: [wakeChannel, "log"] });
    },
    logHead: (workspace) => logHead(pool, workspace),
    readLog: (workspace, after, limit) => readLog(pool, workspace, after, limit),
    readEntries: (workspace, positions) => readEntries(pool, workspace, positions),
    revisedRun: (workspace, firing) => revisedRun(pool, workspace, firing),
    readTypes: (workspace, span, limit) => readTypes(pool, workspace, span, limit),
    loadTriggers: (shards) => loadTriggers(pool, shards),
    loadTriggerKeys: (workspace, names) => loadTriggerKeys(pool, workspace, names),
    loadKeysOf: (workspace, pipeline, limit) => loadKeysOf(pool, workspace, pipeline, limit),
    loadDueTriggerKeys: (shards, until, limit) => loadDueTriggerKeys(pool, shards, until, limit),
    loadGate: (ask) => loadGate(pool, ask),
    loadFiringMembers: (key, page) => loadFiringMembers(pool, key, page),
    loadOutbox: (limit) => loadOutbox(pool, limit),
    loadWaits: (workspace, shards) => loadWaits(pool, workspace, shards),
    unusedKeyRanges: (ranges) => unusedKeyRanges(pool, ranges),
    hasOldWaits: (workspace) => hasOldWaits(pool, workspace),
    findWaits: (shards, keys, after, limit) => findWaits(pool, shards, keys, after, limit),
    loadDueWaits: (shards, before, limit) => loadDueWaits(pool, shards, before, limit),
    nextWaitDue: (shards) => nextWaitDue(pool, shards),
    loadWaitsOf: (workspace, runIds) => loadWaitsOf(pool, workspace, runIds),
    loadEndedWaits: (shards) => loadEndedWaits(pool, shards),
    loadSteps: (key) => loadSteps(pool, key),
    loadProbe: (name) => loadProbe(pool, name),
    positionOfEvent: (event) => positionOfEvent(pool, event),
    loadLookingProbes: (shards) => loadLookingProbes(pool, shards),
    loadSource: (name) => loadSource(pool, name),
    recallThings: (source, keys) => recallThings(pool, source, keys),
    recallPage: (source, page) => recallPage(pool, source, page),
    countThings: (source) => countThings(pool, source),
    wakeOffers: async () => {
      await pool.query({ name: "wake", text: "select pg_notify($1, $2)", values: [wakeChannel, "offers"] });
    },
    claimOffers: (claim) => claimOffers(pool, claim),
    saveWorker: (connection) => saveWorker(pool, connection),
    removeWorker: async (id, nodeId) => {
      await pool.query({
        name: "remove-worker",
        text: "delete from worker_connection where id = $1 and node_id = $2",
        values: [id, nodeId],
      });
    },
    liveWorkers: (ids, exceptNode) => liveWorkers(pool, ids, exceptNode),
    sendToWorker: (workerId, message) => sendToWorker(pool, workerId, message),
    findCached: (workspace, keys, now) => findCached(pool, workspace, keys, now),
    findIdempotencyKey: async (workspace, key) => {
      const { rows } = await pool.query<{ run_id: string }>({
        name: "find-idempotency-key",
        text: "select run_id from idempotency_key where workspace = $1 and key = $2",
        values: [workspace, key],
      });
      return rows[0]?.run_id;
    },
  };
}

function callText(name: string, parameters: number): string {
  return `${name}(${Array.from({ length: parameters }, (_, index) => `$${index + 1}`).join(", ")})`;
}

const flushText = `select ${callText("flush", flushParameterCount)}`;
const flushWithAssetsText = `select ${callText("flush_with_assets", flushParameterCount + logParameterCount + 1)} as change`;
const flushWithLogText = `select ${callText("flush_with_log", flushParameterCount + logParameterCount)} as change`;

async function flush(
  pool: Pick<Pool, "query">,
  nodeId: number,
  number: number,
  batch: FlushBatch,
): Promise<FlushOutcome> {
  const values = flushParameters(nodeId, number, batch);
  try {
    if (batch.clocks.length > 0) return await flushWithLog(pool, batch, values);
    assert(batch.events.length === 0, "a flush with events has a clock");
    await pool.query({ name: "flush", text: flushText, values });
    return "committed";
  } catch (error) {
    if (!isConnectionLoss(error) && (error as { code?: unknown }).code === fencedCode) return "fenced";
    throw error;
  }
}

async function flushWithLog(
  pool: Pick<Pool, "query">,
  batch: FlushBatch,
  values: unknown[],
): Promise<LogChange> {
  const all = [...values, ...logParameters(batch)];
  const assets = assetParameter(batch);
  const { rows } = await pool.query<{ change: LogChangeColumns }>(
    assets === undefined
      ? { name: "flush-with-log", text: flushWithLogText, values: all }
      : { name: "flush-with-assets", text: flushWithAssetsText, values: [...all, assets] },
  );
  return readLogChange(rows[0]!.change);
}

async function tryFlush(
  pool: Pool,
  nodeId: number,
  number: number,
  batch: FlushBatch,
): Promise<FlushOutcome> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const outcome = await flush(client, nodeId, number, batch);
    await client.query("rollback");
    client.release();
    return outcome;
  } catch (error) {
    await client.query("rollback").then(
      () => client.release(),
      () => client.release(true),
    );
    throw error;
  }
}

/** Classes of SQLSTATE that speak about the data itself: 21 cardinality, 22 data, 23 constraint, 42 syntax or access. */
const poisonClasses = new Set(["21", "22", "23", "42", "54"]);

function isPoison(error: unknown): boolean {
  if (isConnectionLoss(error)) return false;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && code.length === 5 && poisonClasses.has(code.slice(0, 2));
}

async function findCached(
  pool: Pool,
  workspace: number,
  keys: readonly string[],
  now: number,
): Promise<CacheRow[]> {
  const { rows } = await pool.query<{
    key: string;
    output: Json;
    output_blob: string | null;
    output_bytes: number | null;
    recorded_at: number;
    expires_at: number | null;
  }>({
    name: "find-cached",
    text: `select key, output, output_blob, output_bytes, recorded_at, expires_at from cached_output
      where workspace = $1 and key = any($2) and (expires_at is null or expires_at > $3)`,
    values: [workspace, keys, toTimestamp(now)],
  });
  return rows.map((row) => ({
    workspace,
    key: row.key,
    output: readStored(row.output, row.output_blob, row.output_bytes),
    recordedAt: row.recorded_at,
    expiresAt: row.expires_at ?? undefined,
  }));
}
