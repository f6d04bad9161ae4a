/** `waits` and `approvals`, on a real server: events and people end what runs wait for. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SharedServer, type RunDocument } from "./shared-server.ts";

const timeoutMs = 60_000;
let server: SharedServer;

beforeAll(async () => {
  server = await SharedServer.start("approvals");
  expect(await server.millrace("waits", ["deploy"])).toMatchObject({ code: 0 });
}, 120_000);

afterAll(async () => server.stop());

async function ok(example: string, ...args: readonly string[]): Promise<string> {
  const ended = await server.millrace(example, args);
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  return ended.stdout;
}

/** Starts a run and gives its id. */
async function start(example: string, ...args: readonly string[]): Promise<string> {
  return (await ok(example, "run", ...args, "--detach")).trim();
}

/** The run as soon as `is` says that it is as wanted. */
async function once(id: string, is: (document: RunDocument) => boolean): Promise<RunDocument> {
  for (;;) {
    const document = JSON.parse(await ok("approvals", "show", id, "--json")) as RunDocument;
    if (is(document)) return document;
  }
}

const isEnded = ({ run }: RunDocument): boolean => ["succeeded", "failed", "cancelled"].includes(run.state);
const isWaiting = ({ run }: RunDocument): boolean => run.state === "waiting";

function nodeOf({ nodes }: RunDocument, id: string): RunDocument["nodes"][number] | undefined {
  return nodes.find((node) => node.id === id);
}

describe("the example", () => {
  test(
    "approvals asks before it publishes, and shows who answered",
    async () => {
      const run = await start("approvals", "report", "-p", "day=monday");
      await once(run, isWaiting);
      const listed = await ok("approvals", "approvals");
      expect(listed).toContain(`Publish the report?  ${run}/release:1`);
      expect(listed).toContain('details {"day":"monday","rows":600}');
      const wrong = await server.millrace("approvals", ["approve", run, "--by", "eve", "--form", "copies=3"]);
      expect(wrong.stderr).toContain("eve may not answer this; ann, bob may.");
      const missing = await server.millrace("approvals", ["approve", run, "--by", "ann"]);
      expect(missing).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("`copies` is missing.") as string,
      });
      await ok("approvals", "approve", run, "--by", "ann", "--form", "copies=3", "--note", "all good");
      const { run: ended } = await once(run, isEnded);
      expect(ended.output).toBe("monday: 3 copies, approved by ann");
      const shown = await ok("approvals", "show", run);
      expect(shown).toMatch(
        /release .*succeeded {2}approved by ann at .*: all good {"copies":3,"colour":false}/,
      );
      for (const named of [`${run}/release:1`, run]) {
        const again = await server.millrace("approvals", ["reject", named, "--by", "bob"]);
        expect(again).toMatchObject({
          code: 1,
          stderr: expect.stringContaining("MILLRACE_APPROVAL_ANSWERED ann approved") as string,
        });
      }
    },
    timeoutMs,
  );

  test(
    "approvals skips, fails or goes on when the answer is no",
    async () => {
      const [report, strict, poll] = await Promise.all([
        start("approvals", "report", "-p", "day=tuesday"),
        start("approvals", "strict"),
        start("approvals", "poll"),
      ]);
      for (const run of [report, strict, poll]) {
        await once(run, isWaiting);
        await ok("approvals", "reject", run, "--by", "bob", "--note", "not today");
      }
      const skipped = await once(report, isEnded);
      expect(skipped.run.state).toBe("succeeded");
      expect([nodeOf(skipped, "release")?.state, nodeOf(skipped, "publish")?.state]).toEqual([
        "skipped",
        "skipped",
      ]);
      expect((await once(strict, isEnded)).run.state).toBe("failed");
      expect((await once(poll, isEnded)).run.output).toBe("no: not today");
      const hasty = JSON.parse(await ok("approvals", "run", "hasty", "--json")) as RunDocument;
      expect(hasty.run.output).toBe("nobody answered");
    },
    timeoutMs,
  );

  test(
    "approvals are asked for by task code, too",
    async () => {
      const run = await start("approvals", "asking", "-p", "day=thursday");
      await once(run, isWaiting);
      await ok("approvals", "approve", run, "--by", "ann", "--form", "copies=2");
      expect((await once(run, isEnded)).run.output).toBe("2 copies, by ann");
    },
    timeoutMs,
  );

  test(
    "approvals escalates what nobody answers in time",
    async () => {
      const run = await start("approvals", "report", "-p", "day=wednesday");
      // Others may have waited as long on a busy machine, and are told of, too.
      for (const told: string[] = []; !told.includes(`Publish the report? waits in ${run}`);) {
        const { runs } = JSON.parse(await ok("approvals", "runs", "--pipeline", "escalate", "--json")) as {
          runs: readonly { readonly id: string }[];
        };
        for (const { id } of runs) told.push(String((await once(id, isEnded)).run.output));
      }
      await ok("approvals", "reject", run, "--by", "ann");
    },
    timeoutMs,
  );

  test(
    "waits goes on with the event that its filter asks for",
    async () => {
      const run = await start("waits", "order", "-p", "item=hat");
      await once(run, isWaiting);
      await ok("waits", "emit", "order.paid", "--data", '{"orderId": "order-coat", "amount": 1}');
      await ok("waits", "emit", "order.paid", "--data", '{"orderId": "order-hat", "amount": 12}');
      expect((await once(run, isEnded)).run.output).toBe("order-hat for 12");
      const patient = JSON.parse(await ok("waits", "run", "patient", "--json")) as RunDocument;
      expect(patient.run.output).toBe("nothing came");
    },
    timeoutMs,
  );
});
