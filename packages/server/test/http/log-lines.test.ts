import { expect, test } from "vitest";
import type { LogEntry, LogLinesView } from "@millrace/protocol";
import { appendLogs } from "@millrace/store";
import { node, pipeline, startFixture, succeeded } from "./server-fixture.ts";

interface Fixture {
  readonly fixture: Awaited<ReturnType<typeof startFixture>>;
  readonly run: string;
  readonly lines: (query: string) => Promise<LogLinesView>;
}

/** `chunks` of 10 lines of each of two nodes in turns; the 57th of `a` is an error. */
async function logged(chunks: number): Promise<Fixture & AsyncDisposable> {
  const fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a"), node("b")])]);
  await fixture.worker({ answer: () => succeeded(1) });
  const { id: run } = await fixture.start("p");
  await fixture.ended(run);
  const now = Date.now();
  for (let chunk = 0; chunk < chunks; chunk += 1)
    for (const name of ["a", "b"])
      await appendLogs(
        fixture.database.database,
        [
          {
            workspace: 1,
            runId: run,
            node: name,
            item: "",
            generation: 1,
            attempt: 1,
            dispatch: 1,
            position: chunk * 10,
            lines: Array.from({ length: 10 }, (_, at) => ({
              at: now,
              stream: "log",
              level: name === "a" && chunk * 10 + at === 57 ? "error" : "info",
              text: `${name} says ${chunk * 10 + at} "50%_off"`,
            })),
          },
        ],
        now + chunk,
      );
  return {
    fixture,
    run,
    lines: async (query) => (await fixture.call("GET", `/runs/${run}/lines?${query}`)).body as LogLinesView,
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

function texts(entries: readonly LogEntry[]): string[] {
  return entries.map(({ text }) => text);
}

test("lines are read from either end, each once, and on from any place", async () => {
  await using log = await logged(40);
  const all: LogEntry[] = [];
  for (let page = await log.lines("limit=97"); ; page = await log.lines(`limit=97&cursor=${page.after}`)) {
    all.push(...page.items);
    if (!page.hasMore) break;
  }
  expect(all).toHaveLength(800);
  const back: LogEntry[] = [];
  for (
    let page = await log.lines("limit=131&order=backward");
    ;
    page = await log.lines(`limit=131&order=backward&cursor=${page.before}`)
  ) {
    back.unshift(...page.items);
    if (!page.hasMore) break;
  }
  expect(texts(back)).toEqual(texts(all));
  const middle = await log.lines("limit=10&cursor=" + (await log.lines("limit=300")).after);
  expect(texts(middle.items)).toEqual(texts(all.slice(300, 310)));
  const before = await log.lines(`limit=5&order=backward&cursor=${middle.before}`);
  expect(texts(before.items)).toEqual(texts(all.slice(295, 300)));
  // What comes later is found from the place after the last.
  const { after, items } = await log.lines("limit=1000&order=backward");
  expect(items).toHaveLength(800);
  expect(await log.lines(`cursor=${after}`)).toMatchObject({ items: [], hasMore: false });
});

test("the first error is found with the place where it stands", async () => {
  await using log = await logged(20);
  const found = await log.lines("level=error&limit=1");
  expect(texts(found.items)).toEqual(['a says 57 "50%_off"']);
  const around = await log.lines(`limit=2&cursor=${found.before}`);
  expect(texts(around.items)).toEqual(['a says 57 "50%_off"', 'a says 58 "50%_off"']);
  expect((await log.lines("level=error&order=backward&limit=1")).items).toEqual(found.items);
  expect((await log.lines("level=warn&node=b")).items).toEqual([]);
});

test("a text is looked for as it stands, in whichever case", async () => {
  await using log = await logged(20);
  expect(texts((await log.lines(`find=${encodeURIComponent('A SAYS 123 "50%_')}`)).items)).toEqual([
    'a says 123 "50%_off"',
  ]);
  expect((await log.lines(`find=${encodeURIComponent("50__off")}`)).items).toEqual([]);
  const { status, body } = await log.fixture.call("GET", `/runs/${log.run}/lines?find=${"x".repeat(501)}`);
  expect([status, body.code]).toEqual([400, "MILLRACE_REQUEST_INVALID"]);
  expect((await log.fixture.call("GET", `/runs/${log.run}/lines?cursor=x`)).status).toBe(400);
});

test("the whole log is given as a file, as text or as JSON by lines", async () => {
  await using log = await logged(30);
  const text = await fetch(`${log.fixture.server.url}/api/v1/runs/${log.run}/log?node=a`);
  expect(text.headers.get("content-disposition")).toBe(`attachment; filename="${log.run}.log"`);
  expect(text.headers.get("content-security-policy")).toBe("sandbox");
  const lines = (await text.text()).trimEnd().split("\n");
  expect(lines).toHaveLength(300);
  expect(lines[57]).toMatch(/Z error a a says 57 "50%_off"$/);
  const json = await fetch(`${log.fixture.server.url}/api/v1/runs/${log.run}/log?format=ndjson&find=says+57`);
  const entries = (await json.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LogEntry);
  expect(entries.map(({ node: name, position, level }) => [name, position, level])).toEqual([
    ["a", 57, "error"],
    ["b", 57, "info"],
  ]);
});
