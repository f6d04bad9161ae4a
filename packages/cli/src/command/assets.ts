import { randomUUID } from "node:crypto";
import {
  assetPartitionType,
  assetUpdatedType,
  givenEntry,
  MillraceError,
  parseCloudEvent,
  type AssetDefinition,
  type CloudEvent,
  type Json,
} from "@millrace/core";
import type { EventReceipt } from "@millrace/protocol";
import type { Command } from "commander";
import { requireServer, requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import { assetLines, partitionLines } from "../asset-view/asset.ts";
import { assetRow, listYields } from "../asset-view/list.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { readJsonOption } from "../json-option.ts";
import { examples, readCount, withServerOptions } from "../stack/options.ts";
import { formatTable } from "../terminal/format.ts";

interface AssetsOptions extends ServerOptions {
  readonly json?: boolean;
  readonly stale?: boolean;
}

interface ShowOptions {
  readonly partition?: string;
  readonly ranges: number;
}

interface UpdateOptions {
  readonly partition?: string;
  /** What tells the content from another: commander keeps `version` for itself. */
  readonly contentVersion?: string;
  readonly metadata?: string;
  readonly id?: string;
  readonly source: string;
}

/** Where somebody reports from who does not say. */
const sourceDefault = "/cli";

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--stale", "only those that are older than they may be, or were never updated")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace assets", "what there is, how fresh it is, and which partitions are missing"],
        ["millrace assets show mart/orders_daily", "who writes and reads it, and its last updates"],
        [
          "millrace assets update lake/orders --partition 2026-01-31",
          "tell that somebody wrote it elsewhere",
        ],
      ),
    )
    .action(finish((options: AssetsOptions) => listAssets(context, options)));
  defineShow(command, context, finish);
  defineUpdate(command, context, finish);
  command
    .command("add-partition <name> <key>")
    .description("make a key of dynamic partitions known, before anything is written to it")
    .addHelpText("after", examples(["millrace assets add-partition crm/customers acme", ""]))
    .action(
      finish((name: string, key: string, _own: object, inner: Command) =>
        tell(
          context,
          { type: assetPartitionType, asset: name, data: { partition: key }, id: key, source: sourceDefault },
          inner.optsWithGlobals<AssetsOptions>(),
        ),
      ),
    );
}

function defineShow(command: Command, context: Context, finish: Finish): void {
  command
    .command("show <name>")
    .description("show an asset: its partitions, who writes and reads it, its last updates")
    .option("--partition <key>", "one of its partitions, with what its last update told")
    .option("--ranges <count>", "how many stretches of partitions are shown", readCount, 20)
    .addHelpText(
      "after",
      examples(
        ["millrace assets show mart/orders_daily", ""],
        ["millrace assets show mart/orders_daily --partition 2026-01-31", "its version and metadata"],
      ),
    )
    .action(
      finish((name: string, own: ShowOptions, inner: Command) =>
        showAsset(context, name, own, inner.optsWithGlobals<AssetsOptions>()),
      ),
    );
}

function defineUpdate(command: Command, context: Context, finish: Finish): void {
  command
    .command("update <name>")
    .description("tell that an asset was written elsewhere: what listens to it hears it")
    .option("--partition <key>", "which of its partitions")
    .option("--content-version <text>", "what tells this content from another, such as a snapshot's id")
    .option("--metadata <json>", "what is shown with it: a JSON object, @file, or - for standard input")
    .option("--id <text>", "the report's name; a repeat with the same one is recorded once")
    .option("--source <uri>", "who reports it", sourceDefault)
    .addHelpText(
      "after",
      examples(
        ["millrace assets update lake/orders --partition 2026-01-31", ""],
        ["millrace assets update lake/orders --metadata '{\"rows\": 1200}' --id load-7", "once for this id"],
      ),
    )
    .action(
      finish((name: string, own: UpdateOptions, inner: Command) =>
        updateAsset(context, name, own, inner.optsWithGlobals<AssetsOptions>()),
      ),
    );
}

async function listAssets(context: Context, options: AssetsOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const all = await client.list("/assets");
  const assets = options.stale
    ? all.filter(({ freshness }) => freshness && freshness.state !== "fresh")
    : all;
  if (options.json) {
    terminal.print(JSON.stringify({ assets }));
    return exitCodes.succeeded;
  }
  if (all.length === 0) {
    terminal.print(
      'No assets yet. Declare one, asset("mart/report"), and say which task writes it: task("build", { writes: report }, …).',
    );
    return exitCodes.succeeded;
  }
  if (assets.length === 0) terminal.print("None is stale. Those without `freshness` are never.");
  const now = new Date();
  const rows = assets.map((asset) => assetRow(asset, terminal.paint, now));
  for (const line of formatTable(rows, { width: terminal.lineWidth(), yields: listYields }))
    terminal.print(line);
  return exitCodes.succeeded;
}

async function showAsset(
  context: Context,
  name: string,
  own: ShowOptions,
  options: AssetsOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const path = `/assets/${encodeURIComponent(name)}` as const;
  const now = new Date();
  if (own.partition !== undefined) {
    const partition = await client.get(`${path}/partitions/${encodeURIComponent(own.partition)}`);
    if (options.json) terminal.print(JSON.stringify(partition));
    else for (const line of partitionLines(name, partition, terminal.paint, now)) terminal.print(line);
    return exitCodes.succeeded;
  }
  const asset = await client.get(path);
  // What an asset without partitions has is its only one.
  const isWhole = asset.definition?.partitions === undefined && asset.updates > 0;
  const whole = isWhole ? (await client.get(`${path}/partitions`)).items[0] : undefined;
  if (options.json) terminal.print(JSON.stringify({ ...asset, ...(whole ? { content: whole } : {}) }));
  else
    for (const line of assetLines(asset, whole, { paint: terminal.paint, now, rangesMax: own.ranges }))
      terminal.print(line);
  return exitCodes.succeeded;
}

async function updateAsset(
  context: Context,
  name: string,
  own: UpdateOptions,
  options: AssetsOptions,
): Promise<number> {
  const { partition, contentVersion, metadata, id = randomUUID(), source } = own;
  const data = {
    kind: "observed",
    ...(partition === undefined ? {} : { partition }),
    ...(contentVersion === undefined ? {} : { version: contentVersion }),
    ...(metadata === undefined ? {} : { metadata: await readJsonOption(context, "--metadata", metadata) }),
  };
  return tell(context, { type: assetUpdatedType, asset: name, data, id, source }, options);
}

interface Telling {
  readonly type: string;
  readonly asset: string;
  readonly data: Json;
  readonly id: string;
  readonly source: string;
}

async function tell(
  context: Context,
  { type, asset, data, id, source }: Telling,
  options: AssetsOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServerToChange(context, options);
  // A name that nobody declares is a slip here, and would be recorded as what it is.
  const { definition } = await client.get(`/assets/${encodeURIComponent(asset)}`);
  const event: CloudEvent = { specversion: "1.0", id: `${asset} ${id}`, source, type, subject: asset, data };
  if (definition) refuseSlip(event, definition);
  const receipt = await client.emit(event);
  if (options.json) terminal.print(JSON.stringify({ asset, ...receipt }));
  else for (const line of receiptLines(asset, receipt)) terminal.print(line);
  return receipt.invalid === undefined ? exitCodes.succeeded : exitCodes.failed;
}

/** What does not fit would be recorded as that, and start nothing. */
function refuseSlip(event: CloudEvent, definition: AssetDefinition): void {
  const { invalid } = givenEntry(parseCloudEvent(event as unknown as Json), {
    find: () => definition,
    now: Date.now(),
  });
  if (invalid === undefined) return;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `Nothing was told of the asset \`${definition.name}\`: ${invalid}${invalid.endsWith("?") ? "" : "."}`,
    advice: `See its partitions with \`millrace assets show ${definition.name}\`.`,
    fields: { asset: definition.name },
  });
}

function receiptLines(asset: string, receipt: EventReceipt): string[] {
  if (receipt.accepted) return [`Accepted for ${asset}; another server records it.`];
  if (receipt.duplicate) return [`That was told of ${asset} before, at position ${receipt.position}.`];
  if (receipt.invalid !== undefined)
    return [
      `Recorded for ${asset} at position ${receipt.position} as invalid, so it starts nothing:`,
      `  ${receipt.invalid}`,
    ];
  return [`Recorded for ${asset} at position ${receipt.position}.`];
}
