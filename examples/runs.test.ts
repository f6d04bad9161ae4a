/** Every small example, run for real: by the command, on one server that all of them share. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SharedServer, type RunDocument } from "./shared-server.ts";

let server: SharedServer;

beforeAll(async () => {
  server = await SharedServer.start("fan-out");
  const others = [
    "branch-and-rules",
    "setup-teardown",
    "retry-and-timeout",
    "calling-a-pipeline",
    "parameters",
    "waits-in-code",
  ];
  const deployed = await Promise.all(others.map(async (example) => server.millrace(example, ["deploy"])));
  expect(deployed.filter(({ code }) => code !== 0)).toEqual([]);
}, 120_000);

afterAll(async () => server.stop());

/** Runs a pipeline and expects it to end with this exit code. */
async function run(example: string, args: readonly string[], code = 0): Promise<RunDocument> {
  const ended = await server.millrace(example, ["run", ...args, "--json"]);
  expect(ended, ended.stderr).toMatchObject({ code });
  return JSON.parse(ended.stdout) as RunDocument;
}

/** Each node's state; a fan-out's items in a row. */
function states({ nodes }: RunDocument): { readonly [id: string]: string } {
  const found: { [id: string]: string } = {};
  for (const { id, state } of nodes) found[id] = found[id] === undefined ? state : `${found[id]} ${state}`;
  return found;
}

function attempts({ nodes }: RunDocument, id: string): string[] {
  return nodes
    .filter((node) => node.id === id)
    .flatMap((node) => node.attempts.map((attempt) => attempt.state));
}

describe("the example", () => {
  test("fan-out maps over lists, pairs, combinations and groups, and settles what fails", async () => {
    const document = await run("fan-out", ["fan-out"]);
    expect(document.run.output).toEqual({
      labels: ["0: Oslo", "1: Lima", "2: Atlantis"],
      failed: 1,
      pairs: ["Oslo 2024", "Lima 2025"],
      grid: ["Oslo 2024", "Oslo 2025", "Lima 2024", "Lima 2025", "Atlantis 2024", "Atlantis 2025"],
      printed: ["«OSLO»", "«LIMA»", "«ATLANTIS»"],
    });
    expect(states(document)).toMatchObject({
      measure: "succeeded succeeded failed",
      "count-failed": "succeeded",
    });
  });

  test("waits-in-code repeats its function and not its steps", async () => {
    const document = await run("waits-in-code", ["following", "-p", "order=7"]);
    expect(document.run.output).toEqual({
      lines: ["pen packed in dispatch 1", "ink packed in dispatch 1"],
      first: "soon",
      order: "7",
      kilos: 3,
      paid: false,
    });
    expect(attempts(document, "follow").slice(0, 2)).toEqual(["suspended", "suspended"]);
    expect(attempts(document, "follow").at(-1)).toBe("succeeded");
  });

  test("waits-in-code goes on behind a recorded step when its process died", async () => {
    const document = await run("waits-in-code", ["stumbling"]);
    expect(document.run.output).toEqual({ recordedIn: 1, endedIn: 2 });
    expect(attempts(document, "stumble")).toEqual(["failed", "succeeded"]);
  });

  test("branch-and-rules takes one way and skips the other", async () => {
    const light = await run("branch-and-rules", ["delivery"]);
    expect(light.run.output).toBe("by bike");
    expect(states(light)).toEqual({
      weigh: "succeeded",
      carrier: "succeeded",
      "ride-bike": "succeeded",
      "load-van": "skipped",
      "drive-van": "skipped",
      deliver: "succeeded",
      "is-heavy": "succeeded",
      "call-crane": "skipped",
      apologise: "skipped",
      "close-books": "succeeded",
    });
    const heavy = await run("branch-and-rules", ["delivery", "-p", "kilos=200"]);
    expect(heavy.run.output).toBe("by van, loaded");
    expect(states(heavy)).toMatchObject({ "ride-bike": "skipped", "call-crane": "succeeded" });
  });

  test("branch-and-rules apologises for a failure and closes its books", async () => {
    const failed = await run("branch-and-rules", ["delivery", "-p", "kilos=-1"], 1);
    expect(failed.run.state).toBe("failed");
    expect(states(failed)).toMatchObject({
      weigh: "failed",
      deliver: "upstream_failed",
      apologise: "succeeded",
      "close-books": "succeeded",
    });
  });

  test("setup-teardown removes its folder after a success and after a failure", async () => {
    const whole = await run("setup-teardown", ["scratch"]);
    expect(whole.run.output).toBe(6);
    const broken = await run("setup-teardown", ["scratch", "-p", "breaks=true"], 1);
    expect(states(broken)).toMatchObject({
      fill: "failed",
      sum: "upstream_failed",
      "remove-folder": "succeeded",
    });
    for (const { nodes } of [whole, broken])
      expect(nodes.find((node) => node.id === "remove-folder")?.output).toEqual({ removed: true });
  });

  test("retry-and-timeout tries again as its tasks say", async () => {
    const document = await run("retry-and-timeout", ["retries"]);
    expect(attempts(document, "fetch-prices")).toEqual(["failed", "failed", "succeeded"]);
    expect(attempts(document, "slow-at-first")).toEqual(["failed", "succeeded"]);
    expect(attempts(document, "ask-later")).toEqual(["failed", "succeeded"]);
    expect(attempts(document, "closed-account")).toEqual(["failed"]);
    expect(states(document)).toMatchObject({ "nothing-new": "skipped", report: "succeeded" });
  });

  test("calling-a-pipeline waits for the runs that it starts", async () => {
    const document = await run("calling-a-pipeline", ["street"]);
    expect(document.run.output).toMatchObject({ others: 225 });
    expect(states(document)).toMatchObject({ "other-houses": "succeeded succeeded succeeded" });
  });

  test("calling-a-pipeline has the defaults of the called pipeline", async () => {
    const document = await run("calling-a-pipeline", ["street"]);
    expect(document.run.output).toEqual({ first: 30, others: 225 });
  });

  test("parameters fills in defaults, and refuses what its schema refuses", async () => {
    const lines = JSON.stringify([{ text: "water", amount: 12.5 }]);
    const paid = await run("parameters", ["invoice", "-p", "customer=42", "-p", `lines=${lines}`]);
    expect(paid.run.output).toBe("2026-01-31: customer 42 owes 12.5 EUR");

    const wrong = await server.millrace("parameters", ["run", "invoice", "-p", "customer=-1"]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("customer") as string });
    const missing = await server.millrace("parameters", ["run", "invoice"]);
    expect(missing).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("MILLRACE_PARAMS_INVALID") as string,
    });
  });
});
