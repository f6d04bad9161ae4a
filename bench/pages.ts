import { request, type ClientRequest } from "node:http";
import { cpuMs, isMeasurable } from "./parts/processes.ts";
import { noDurations, resultOf, type Bench } from "./parts/result.ts";
import { realIsolation, Stack } from "./parts/stack.ts";
import { round } from "./parts/statistics.ts";

/** As `idle` has it: sessions of PostgreSQL tell their counts late, and autovacuum looks at what was made. */
const settleMs = { short: 11_000, full: 42_000 };

/** The bar: 500 open pages cost less than a tenth of a core while nothing happens. */
export const pages: Bench = {
  name: "pages",
  measures:
    "open pages while nothing happens, each at a run that waits, at the event log and at the activity of all runs: share of a core that the server takes, transactions/s of the database",
  doesNotMeasure: ["browsers", "pages while something happens"],
  run: async ({ short }) => {
    if (!isMeasurable) throw new Error("pages reads /proc, which only Linux has");
    const count = short ? 100 : 500;
    const ms = short ? 8_000 : 30_000;
    await using stack = await Stack.start();
    const server = await stack.startServer();
    await stack.deploy(server);
    const run = await server.api.startRun("waiting", { n: 1 });
    const open: ClientRequest[] = [];
    try {
      await Promise.all(
        Array.from({ length: count }, () => openPage(server.url, `log,activity,run:${run}`, open)),
      );
      await wait(short ? settleMs.short : settleMs.full);
      const before = { cpu: cpuMs(server.pid), transactions: await transactions(stack) };
      await wait(ms);
      const after = { cpu: cpuMs(server.pid), transactions: await transactions(stack) };
      const numbers = {
        ...noDurations,
        pages: count,
        cpuPercent: round(((after.cpu - before.cpu) / ms) * 100),
        transactionsPerSecond: round(
          Math.max(0, after.transactions - before.transactions - 1) / (ms / 1_000),
        ),
      };
      return await resultOf(stack, "pages", numbers, realIsolation);
    } finally {
      for (const page of open) page.destroy();
    }
  },
};

/** Resolves when the first event has come. */
function openPage(url: string, topics: string, open: ClientRequest[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const page = request(`${url}/api/v1/live?topics=${topics}`, { agent: false }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`a page was answered with ${answer.statusCode}`));
      answer.once("data", () => resolve());
      answer.resume();
      answer.on("error", () => undefined);
    });
    page.on("error", reject);
    page.end();
    open.push(page);
  });
}

async function transactions(stack: Stack): Promise<number> {
  const [row] = await stack.query<{ count: number }>(
    "select (xact_commit + xact_rollback)::float8 as count from pg_stat_database where datname = current_database()",
  );
  return row!.count;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
