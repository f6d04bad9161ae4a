/** What `millrace init` writes. Tests run the pipeline, and its test. */

export function templateFiles(project: string): { readonly [path: string]: string } {
  return {
    "millrace.config.ts": configuration(project),
    "pipelines/hello.ts": pipeline,
    "pipelines/hello.test.ts": pipelineTest,
    "README.md": readme(project),
  };
}

function configuration(project: string): string {
  return `import { defineConfig } from "millrace";

export default defineConfig({
  project: ${JSON.stringify(project)},
  include: ["pipelines/**/*.ts"],
});
`;
}

const pipeline = `import { pipeline, task } from "millrace";

const listCities = task("list-cities", async (): Promise<string[]> => ["Lisbon", "Nairobi", "Oslo", "Quito"]);

// Runs once for each city. Its first try fails for one of them: the policy tries again.
const measure = task(
  "measure",
  { retries: 3, timeout: "30s" },
  async (input: { city: string }, ctx) => {
    if (input.city === "Oslo" && ctx.attempt === 1) throw new Error("the station in Oslo did not answer");
    ctx.log.info(\`measured \${input.city}\`);
    return { city: input.city, letters: input.city.length };
  },
);

const report = task("report", async (input: { title: string; rows: { city: string; letters: number }[] }, ctx) => {
  const longest = input.rows.reduce((best, row) => (row.letters > best.letters ? row : best));
  await ctx.artifact("cities", { table: input.rows });
  console.log(\`\${input.title}: \${longest.city} has the longest name\`);
  return { cities: input.rows.length, longest: longest.city };
});

export const hello = pipeline("hello", { description: "Measures cities side by side" }, () => {
  const cities = listCities();
  const rows = measure.map(cities, (city) => ({ city })); // one task run per city
  return report({ title: "Today", rows }); // waits for all of them: passing the data is the dependency
});
`;

const pipelineTest = `import assert from "node:assert/strict";
import { test } from "node:test";
import { testbed } from "millrace/testing";
import { hello } from "./hello.ts";

test("a city that does not answer at first is measured again", async () => {
  const t = await testbed({ hello });
  const run = await t.start(hello);
  assert.equal(run.node("measure", 2).state, "retrying"); // the clock stands still until the test moves it
  await t.advance("1m");
  assert.equal(run.node("measure", 2).attempts, 2);
  assert.deepEqual(run.output, { cities: 4, longest: "Nairobi" });
});

test("without all cities there is no report", async () => {
  const t = await testbed({ hello });
  t.task("measure").fails("no answer", { when: ({ item }) => item === "3" });
  const run = await t.finish(await t.start(hello));
  assert.equal(run.state, "failed");
  assert.equal(run.node("report").state, "upstream_failed");
});
`;

function readme(project: string): string {
  return `# ${project}

Pipelines for [Millrace](https://www.npmjs.com/package/millrace).

    npm install          # once
    npx millrace dev     # server, worker and reload on change
    npx millrace run hello

\`pipelines/hello.ts\` lists cities, measures each one in a task run of its own (one fails at first and is retried), and
reports. Change it while \`millrace dev\` runs: the next run takes the new version.

\`npm test\` runs \`pipelines/hello.test.ts\`: without a server, and on virtual time, so a retry in a minute takes none.

    npx millrace show RUN      # what happened, node by node
    npx millrace logs RUN      # what it printed
    npx millrace graph hello   # its picture
    npx millrace doctor        # when something is odd
`;
}
