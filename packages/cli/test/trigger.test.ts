import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Dev, millrace, projectWith } from "./command-process.ts";

const timeoutMs = 180_000;

function pipelines(least: number): string {
  return `
import { on, pipeline, task } from "millrace";

const see = task("see", (input: { amounts: readonly unknown[] }) => input.amounts.length);

export const report = pipeline(
  "report",
  { on: on.event("order.paid", { where: { data: { amount: { gte: ${least} } } } }).as("orders") },
  ({ firing }) => see({ amounts: firing.members.orders }),
);

export const ticking = pipeline("ticking", { on: on.every("1h") }, () => see({ amounts: [] }));

export const pair = pipeline(
  "pair",
  { on: on.all([on.event("a"), on.event("b")]).by("data.k") },
  ({ firing }) => see({ amounts: firing.members.a }),
);
`;
}

test(
  "triggers are listed, explained, simulated and steered",
  async () => {
    const root = projectWith({ "pipelines/all.ts": pipelines(10) });
    const dev = new Dev(root);
    await dev.event("ready");
    const run = async (...args: readonly string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await millrace(root, ...args);
      expect(stderr).toBe("");
      expect(exitCode).toBe(0);
      return stdout;
    };
    const emit = async (type: string, data: string): Promise<string> => {
      const { position } = JSON.parse(await run("emit", type, "--data", data, "--json")) as {
        position: number;
      };
      return String(position);
    };

    const small = await emit("order.paid", '{"amount": 5}');
    const large = await emit("order.paid", '{"amount": 50}');
    const half = await emit("a", '{"k": "x"}');

    const explained = await run("trigger", "explain", "report", "--event", small);
    expect(explained).toContain("orders: data.amount >= 10: expected at least 10, found 5");
    expect(await run("trigger", "explain", "pair")).toMatch(
      new RegExp(
        `key x {2}forgotten at .*\\n◐ all [^]*● a has matched, and waits for the others[^]*event ${half} [^]*○ b waits for`,
      ),
    );
    expect(await run("trigger", "list")).toMatch(
      /● active {2}pair .*1 key[^]*● active {2}report .*fired just now/,
    );
    expect(await run("trigger", "show", "report")).toMatch(
      /version +1, since position \d+[^]*"kind": "event"/,
    );
    expect(await run("trigger", "firings", "report", "--members")).toMatch(
      new RegExp(`run \\S+ +1 member .*\\n +orders {2}event ${large} `),
    );

    const shown = JSON.parse(await run("events", "show", large, "--json")) as {
      firings: readonly { pipeline: string; runId: string }[];
    };
    expect(shown.firings).toMatchObject([{ pipeline: "report" }]);
    const { runId } = shown.firings[0]!;
    expect(await run("events", "show", large)).toContain(`fired report  run ${runId}`);
    expect(await run("show", runId)).toMatch(
      new RegExp(`because its trigger fired \\(version 1\\)\\n +orders {2}event ${large} `),
    );

    const mistaken = await millrace(root, "show", "report");
    expect(mistaken).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`\`report\` is a pipeline; its newest run is \`${runId}\`.`),
    });
    expect(await run("trigger", "simulate", "ticking", "--since", "3h")).toMatch(
      /^ticking .*\n\d firings by time alone, /,
    );
    expect(await run("trigger", "simulate", "report")).toMatch(
      /1 firing from 2 events of its types, in the log from position \d+ to \d+\./,
    );
    await run("pipelines", "pause", "report");
    await emit("order.paid", '{"amount": 60}');
    await emit("order.paid", '{"amount": 70}');
    const preview = await run("pipelines", "resume", "report", "--on-resume", "latest", "--preview");
    expect(preview).toMatch(/would make 1 firing\.\n[^]*orders {2}event \d+ /);
    expect(await run("pipelines", "resume", "report", "--on-resume", "none")).toContain("is active");
    const fired = JSON.parse(await run("trigger", "firings", "report", "--json")) as { firings: object[] };
    expect(fired.firings).toHaveLength(1);

    const wrong = await millrace(root, "trigger", "explain", "reprot");
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Did you mean "report"') });
    const policy = await millrace(root, "pipelines", "resume", "report", "--on-resume", "lastest");
    expect(policy).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Did you mean latest?") });
  },
  timeoutMs,
);

test(
  "a condition that is only in the project's files is simulated over the log",
  async () => {
    const root = projectWith({ "pipelines/all.ts": pipelines(10) });
    const dev = new Dev(root);
    await dev.event("ready");
    await millrace(root, "emit", "order.placed", "--data", "1");
    writeFileSync(
      join(root, "draft.ts"),
      `import { on, pipeline, task } from "millrace";
const see = task("see", () => null);
export const draft = pipeline("draft", { on: on.event("order.placed") }, () => see());
`,
    );
    writeFileSync(
      join(root, "millrace.config.ts"),
      'export default { project: "shop", include: ["pipelines/*.ts", "draft.ts"] };\n',
    );
    const { stdout } = await millrace(root, "trigger", "simulate", "draft", "--files", "--since", "1h");
    expect(stdout).toContain("1 firing from 1 event of its types");
  },
  timeoutMs,
);
