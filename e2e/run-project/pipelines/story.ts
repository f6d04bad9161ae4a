/** What a run's page is looked at with: long ways, retries, waits, many nodes, many items, many lines, artifacts, causes. */
import { asset, on, group, pipeline, task, wait } from "millrace";
import { z } from "zod";

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const report = asset("story/report");

const extract = task("extract", async (input: { orders: number }) => {
  console.log(`reads ${input.orders} orders`);
  await pause(300);
  return Array.from({ length: input.orders }, (_, order) => order);
});
const clean = task("clean", async (input: { order: number }) => input.order + 0.5);
const count = task("count", async (input: { orders: number[] }) => input.orders.length);
const load = task(
  "load",
  { retries: { max: 2, backoff: "fixed", delay: "400ms" }, writes: [report] },
  async (input: { prices: number[] }, ctx) => {
    await pause(150);
    if (ctx.attempt < 2) throw new Error("the warehouse was busy");
    await ctx.emit({ type: "report.loaded", subject: "7", data: { rows: input.prices.length } });
    return input.prices.length;
  },
);
const look = task("look", async (input: { rows: number; fails: boolean }) => {
  if (input.fails) throw new Error("the report looks odd");
  return input.rows;
});
const tell = task("tell", async (_: void, ctx) => `told in attempt ${ctx.attempt}`);

/** A fan-out, a retry, groups; begun by an event. */
export const story = pipeline(
  "story",
  {
    on: on.event("shop.closed"),
    params: z.object({ orders: z.number().int().default(12), fails: z.boolean().default(false) }),
  },
  ({ params }) => {
    const orders = extract({ orders: params.orders });
    const prices = group("clean", () => clean.map(orders, (order) => ({ order })));
    const counted = group("audit", () => {
      const counts = count({ orders });
      return tell(undefined, { id: "note", after: [counts] });
    });
    const rows = load({ prices });
    look({ rows, fails: params.fails });
    tell(undefined, { after: [counted, rows] });
  },
);

/** Begun by what `story` emits. */
export const after = pipeline("after", { on: on.event("report.loaded") }, () => {
  tell();
});

export const held = pipeline("held", () => {
  const gone = wait(on.event("goods.sent"), { id: "goods", timeout: "2h" });
  tell(undefined, { after: [gone] });
});

const speakers = task("speakers", async (input: { speakers: number }) =>
  Array.from({ length: input.speakers }, (_, at) => at),
);
const speak = task("speak", async (input: { by: number; lines: number; errorAt: number }, ctx) => {
  for (let line = 0; line < input.lines; line += 1) {
    if (input.by === 0 && line === input.errorAt) ctx.log.error(`line ${line} is <b>bad</b>`);
    else ctx.log.info(`line ${line} of speaker ${input.by}, with a little to read in it`);
    // What is written faster than it can be sent is held in memory.
    if (line % 2_000 === 1_999) await pause(40);
  }
  return input.lines;
});
/** An attempt's log holds 100,000 lines at most: several speak. */
export const lines = pipeline(
  "lines",
  {
    params: z.object({
      speakers: z.number().int().default(2),
      lines: z.number().int().default(3_000),
      errorAt: z.number().int().default(1_500),
    }),
  },
  ({ params }) => {
    const all = speakers({ speakers: params.speakers });
    speak.map(all, (by) => ({ by, lines: params.lines, errorAt: params.errorAt }));
  },
);

const hostile = `<!doctype html><h1 id="title">A report</h1><p style="color: rgb(200, 0, 0)">in red</p>
<script>
  document.getElementById("title").textContent = "taken over";
  try { parent.document.title = "taken over"; } catch {}
  fetch("/api/v1/runs").then(() => { document.title = "asked"; });
  new Image().src = "http://127.0.0.1:9/stolen.png";
</script>
<img src="http://127.0.0.1:9/seen.png" onerror="document.body.append('taken over')">
<a href="javascript:alert(1)">script</a><a id="away" target="_top" href="/api/v1/info">away</a>
<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/away">
<form action="/api/v1/runs" method="post"><button id="post">send</button></form>
<iframe src="/"></iframe>`;
const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC";
const keep = task("keep", async (_: void, ctx) => {
  await ctx.artifact("note.md", { markdown: "# A note\n\nwith *words*" });
  await ctx.artifact("rows", {
    table: [
      { city: "Bonn", orders: 3 },
      { city: "<b>Köln</b>", orders: 5 },
    ],
  });
  await ctx.artifact("dot.png", { image: Buffer.from(pixel, "base64"), mediaType: "image/png" });
  await ctx.artifact("report.html", { html: hostile });
  return "kept";
});
export const kept = pipeline("kept", () => {
  keep();
});
