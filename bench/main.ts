/** `npm run bench -- <name|all> [--short] [--json] [--folder F]`. */
import { parseArgs } from "node:util";
import { browser } from "./browser.ts";
import { chain } from "./chain.ts";
import { event } from "./event.ts";
import { fanout } from "./fanout.ts";
import { files } from "./files.ts";
import { idle } from "./idle.ts";
import { intake } from "./intake.ts";
import type { Bench, BenchResult } from "./parts/result.ts";
import { lists } from "./lists.ts";
import { match } from "./match.ts";
import { pages } from "./pages.ts";
import { schedules } from "./schedules.ts";
import { start } from "./start.ts";
import { steps } from "./steps.ts";
import { takeover } from "./takeover.ts";
import { timers } from "./timers.ts";
import { testbedBench } from "./testbed.ts";
import { throughput } from "./throughput.ts";
import { waits } from "./waits.ts";
import { wide } from "./wide.ts";

const benches: readonly Bench[] = [
  chain,
  event,
  fanout,
  throughput,
  intake,
  wide,
  waits,
  match,
  timers,
  schedules,
  steps,
  files,
  idle,
  pages,
  lists,
  browser,
  start,
  takeover,
  testbedBench,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    folder: { type: "string" },
  },
});
const [name] = positionals;
const chosen = benches.filter((bench) => name === "all" || name === bench.name);
if (positionals.length !== 1 || chosen.length === 0) {
  console.error(
    `usage: npm run bench -- <name|all> [--short] [--json] [--folder F]\n\n${benches.map((bench) => `  ${bench.name.padEnd(11)} ${bench.measures}`).join("\n")}`,
  );
  process.exit(2);
}

for (const bench of chosen) {
  // With --json, what is for people goes to stderr.
  const say = values.json ? console.error : console.log;
  say(`${bench.name}: ${bench.measures}`);
  const result = await bench.run({
    short: values.short,
    ...(values.folder === undefined ? {} : { folder: values.folder }),
  });
  for (const line of linesOf(result)) say(`  ${line}`);
  for (const missing of bench.doesNotMeasure) say(`  does not measure ${missing}`);
  if (values.json) console.log(JSON.stringify(result));
}

function linesOf(result: BenchResult): string[] {
  const { median, p99, max, n, durability, versions } = result;
  const told = new Set(["bench", "unit", "median", "p99", "max", "n", "durability", "versions"]);
  const rest = Object.entries(result).filter(([name]) => !told.has(name));
  return [
    ...(n > 0 ? [`median ${median} ms, p99 ${p99} ms, max ${max} ms, n ${n}`] : []),
    ...rest.map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`),
    `fsync ${durability.fsync}, synchronous_commit ${durability.synchronousCommit}; PostgreSQL ${versions.postgres}, Node ${versions.node}`,
  ];
}
