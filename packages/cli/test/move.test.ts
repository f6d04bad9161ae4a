import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Dev, millrace, projectWith } from "./command-process.ts";

function code(first: string, last: string): string {
  return `
import { on, pipeline, task } from "millrace";

const follow = task("follow", async (_input: undefined, ctx) => {
  const order = await ctx.${first};
  await ctx.waitFor(on.event("go"), { name: "go" });
  return "${last} " + JSON.stringify(order ?? null);
});

export const long = pipeline("long", () => follow());
`;
}

test("a run whose code waits is moved when the new code comes to the same steps and waits, and refused when not", async () => {
  const step = 'step("order", () => 7)';
  const root = projectWith({ "pipelines/all.ts": code(step, "old") });
  const dev = new Dev(root);
  await dev.event("ready");
  const run = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await millrace(root, ...args);
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    return stdout;
  };
  const { stdout } = await millrace(root, "run", "long", "--detach");
  const id = stdout.trim();
  for (let shown = ""; !/waiting {2}for an event go/.test(shown);) shown = await run("show", id);
  expect(await run("show", id)).toMatch(/follow has recorded\n {2}● order .* 7/);

  writeFileSync(join(root, "pipelines/all.ts"), code('sleep("1ms", { name: "order" })', "other"));
  await dev.event("deployed");
  const refused = await millrace(root, "move", id);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toMatch(
    /MILLRACE_MOVE_REFUSED .*"follow" diverges: wait "order" \(pipelines\/all.ts:5\) was a step "order" before/,
  );

  writeFileSync(join(root, "pipelines/all.ts"), code(step, "new"));
  await dev.event("deployed", 1);
  expect(await run("move", id)).toMatch(/goes on with the bundle/);
  await run("emit", "go");
  for (let shown = ""; !/output "new 7"/.test(shown);) shown = await run("show", id);
}, 180_000);
