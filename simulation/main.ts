/** `npm run simulate -- --seed N --hours H [--seeds COUNT] [--json] [--parts LIST] [--mutants] [--mutant NAME] [--trace WORD]` */
import { parseArgs } from "node:util";
import { mutants } from "./mutants.ts";
import { mutantHours, mutantSeeds, tryMutant } from "./try-mutants.ts";
import { parseParts } from "./parts.ts";
import { simulate, type SimulationReport } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    hours: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    parts: { type: "string" },
    mutant: { type: "string" },
    trace: { type: "string" },
    lines: { type: "string", default: "60" },
  },
});

async function simulateSeeds(): Promise<boolean> {
  let isRight = true;
  const first = Number(values.seed);
  for (let seed = first; seed < first + Number(values.seeds); seed += 1) {
    const report = await simulate({
      seed,
      hours: Number(values.hours),
      ...(values.parts === undefined ? {} : { parts: parseParts(values.parts) }),
      ...(values.trace === undefined ? {} : { trace: values.trace }),
    });
    isRight &&= report.violations.length === 0;
    if (values.json) printJson(report);
    else printReport(report);
  }
  return isRight;
}

function printJson(report: SimulationReport): void {
  console.log(JSON.stringify({ ...report, journal: undefined }));
}

function printReport(report: SimulationReport): void {
  const { seed, hours, violations, counts, journal } = report;
  const verdict = violations.length === 0 ? "holds" : `VIOLATED ${counts["violations"]} times`;
  console.log(
    `seed ${seed}: ${hours} h, ${report.nodes} nodes, ${report.workers} workers, parts ${report.parts.join(",") || "none"}, ${report.events} events, fingerprint ${report.fingerprint}: ${verdict}`,
  );
  if (values.seeds === "1")
    for (const [name, count] of Object.entries(counts))
      console.log(`  ${String(count).padStart(9)}  ${name}`);
  for (const { rule, detail, at } of violations) console.log(`  at ${at.toFixed(1)} ms: ${rule}: ${detail}`);
  if (values.trace !== undefined) for (const line of journal.lines(Number(values.lines))) console.log(line);
  if (violations.length > 0)
    console.log(
      `  replay: npm run simulate -- --seed ${seed} --hours ${hours} --parts ${report.parts.join(",") || "none"} --trace RUN-ID`,
    );
}

async function simulateMutants(): Promise<boolean> {
  const width = Math.max(...mutants.map(({ name }) => name.length));
  let survivors = 0;
  const tried = mutants.filter(({ name }) => values.mutant === undefined || name.includes(values.mutant));
  for (const mutant of tried) {
    const { seed, rule } = await tryMutant(mutant, mutantSeeds, mutantHours);
    if (seed === undefined) survivors += 1;
    const how = seed === undefined ? "SURVIVED" : `caught by seed ${seed}: ${rule}`;
    console.log(`${mutant.name.padEnd(width)}  ${how}  (${mutant.breaks})`);
  }
  console.log(`${tried.length - survivors} of ${tried.length} mutants caught`);
  return tried.length > 0 && survivors === 0;
}

process.exitCode = (await (values.mutants || values.mutant !== undefined
  ? simulateMutants()
  : simulateSeeds()))
  ? 0
  : 1;
