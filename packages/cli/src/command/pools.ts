import type { Command } from "commander";
import { requireServer, requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, readInteger, withServerOptions } from "../stack/options.ts";
import { formatTable, plural } from "../terminal/format.ts";

interface PoolsOptions extends ServerOptions {
  readonly json?: boolean;
}

const slotsMax = 1_000_000;

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(["millrace pools", "list them"], ["millrace pools set warehouse 5", "make one, or change it"]),
    )
    .action(finish((options: PoolsOptions) => listPools(context, options)));
  command
    .command("set")
    .argument("<name>", "its name")
    .argument("<slots>", "how many attempts may hold it at once", (text) => readInteger(text, 0, slotsMax))
    .description("make a pool, or change its slots; it holds over deploys")
    .addHelpText("after", examples(["millrace pools set warehouse 5", ""]))
    .action(
      finish((name: string, slots: number, _own: object, inner: Command) =>
        setPool(context, name, slots, inner.optsWithGlobals<PoolsOptions>()),
      ),
    );
}

async function listPools(context: Context, options: PoolsOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const pools = (await client.get("/pools")).items;
  if (options.json) terminal.print(JSON.stringify({ pools }));
  else if (pools.length === 0) terminal.print("No pools yet. Make one with `millrace pools set NAME SLOTS`.");
  else {
    const { paint } = terminal;
    const rows = pools.map((pool) => [
      paint.bold(pool.name),
      `${pool.used}/${pool.slots}`,
      paint.dim("in use"),
      pool.waiting > 0 ? paint.yellow(`${pool.waiting} waiting`) : "",
      paint.dim(pool.setByOperator ? "set by an operator" : "from the configuration"),
    ]);
    for (const line of formatTable(rows, { align: ["left", "right"], width: terminal.lineWidth() }))
      terminal.print(line);
  }
  return exitCodes.succeeded;
}

async function setPool(
  context: Context,
  name: string,
  slots: number,
  options: PoolsOptions,
): Promise<number> {
  const client = await requireServerToChange(context, options);
  const pool = await client.put(`/pools/${encodeURIComponent(name)}`, { slots });
  if (options.json) context.terminal.print(JSON.stringify({ pool }));
  else context.terminal.print(`The pool ${pool.name} has ${plural(pool.slots, "slot")}.`);
  return exitCodes.succeeded;
}
