import {
  claimStateFolder,
  connect,
  migrate,
  migrationStatus,
  requireDatabase,
  startEmbedded,
  type DatabaseTarget,
} from "@millrace/store";
import type { Command } from "commander";
import { stateFolderOf } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples } from "../stack/options.ts";
import { plural } from "../terminal/format.ts";

interface MigrateCommandOptions {
  readonly state?: string;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  command
    .option(
      "--state <folder>",
      "state folder of the embedded database (default: .millrace, or MILLRACE_STATE)",
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `${examples(["DATABASE_URL=postgres://… millrace migrate", "a database of yours"], ["millrace migrate", "the embedded one"])}

\`millrace dev\` and \`millrace server\` do this by themselves when they start.`,
    )
    .action(finish((options: MigrateCommandOptions) => runMigrate(context, options)));
}

async function runMigrate(context: Context, options: MigrateCommandOptions): Promise<number> {
  const { databaseUrl } = context.environment;
  if (databaseUrl !== undefined) return migrateTarget(context, { databaseUrl }, options);
  const claim = await claimStateFolder(stateFolderOf(context, options));
  try {
    const embedded = await startEmbedded({ folder: claim.folder, claim });
    try {
      return await migrateTarget(context, embedded.connection, options);
    } finally {
      await embedded.stop();
    }
  } finally {
    await claim.release();
  }
}

async function migrateTarget(
  { terminal }: Context,
  target: DatabaseTarget,
  options: MigrateCommandOptions,
): Promise<number> {
  const database = connect(target, { applicationName: "millrace migrate" });
  try {
    await requireDatabase(database, target);
    const applied = await migrate(database.api, { now: Date.now() });
    const status = await migrationStatus(database.api);
    const version = status.applied.at(-1) ?? 0;
    if (options.json) terminal.print(JSON.stringify({ applied, version }));
    else if (applied.length === 0) terminal.print(`Nothing to do: the schema is at ${version}.`);
    else terminal.print(`Applied ${plural(applied.length, "migration")}: the schema is at ${version}.`);
    return exitCodes.succeeded;
  } finally {
    await database.close();
  }
}
