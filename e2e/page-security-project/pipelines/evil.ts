/** Whatever a project, a task or a sender may say of itself is a script here. */
import { approve, asset, dynamicPartitions, on, pipeline, task, webhook } from "millrace";
import { z } from "zod";

const script = `<img src=x onerror="window.owned=1"><script>window.owned=1</script>`;
const link = "javascript:window.owned=1";

export const table = asset("lake/evil", {
  description: script,
  owner: script,
  tags: [script],
  partitions: dynamicPartitions(),
});
export const hook = webhook("evil", { verify: { kind: "none", insecure: true } });

const fail = task("fail", async (_: void, ctx) => {
  console.log(script);
  console.log(`\u001b[31m${script}\u001b[0m`);
  ctx.log.warn(script, { [script]: script });
  ctx.progress(0.5, script);
  const error = new Error(script);
  error.name = script;
  error.stack = `${script}\n    at ${script} (${link}:1:1)`;
  throw error;
});

const write = task("write", { writes: table }, async (_: void, ctx) => {
  await ctx
    .asset(table)
    .materialized({ partition: "<img src=x onerror=window.owned=1>", metadata: { [script]: script, link } });
  await ctx.emit({ type: "evil.told", subject: script, data: { [script]: script, link } });
  await ctx.artifact("report", { html: script });
  await ctx.artifact("notes", { markdown: `${script} [click](${link})` });
  await ctx.artifact("rows", { table: [{ [script]: script, link }] });
  return { [script]: script, link };
});

export const evil = pipeline(
  "evil",
  {
    description: script,
    owner: script,
    tags: [script],
    params: z.object({ text: z.string().default(script).describe(script) }),
    on: on.event("evil.sent").as("events").by("subject"),
  },
  () => {
    write();
    fail();
  },
);

export const asking = pipeline("asking", { description: script }, () => {
  approve({
    id: "ask",
    title: script,
    details: { [script]: script, link },
    by: [script],
    form: z.object({ answer: z.string().describe(script), choice: z.enum([script, "b"]) }),
  });
});
