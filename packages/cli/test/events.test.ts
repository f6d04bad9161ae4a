import { createServer, type AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Dev, millrace, projectWith, spawnMillrace } from "./command-process.ts";

const timeoutMs = 120_000;
const types = `
import { eventType } from "millrace";

const json = () => ({ type: "object", properties: { amount: { type: "number" } }, required: ["amount"] });
const schema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) => ({ value }),
    jsonSchema: { input: json, output: json },
  },
};

export const paid = eventType("order.paid", { schema: schema as never });
`;

test(
  "events are emitted, listed, followed and shown",
  async () => {
    const root = projectWith({ "pipelines/types.ts": types });
    const dev = new Dev(root);
    await dev.event("ready");
    expect(await millrace(root, "events")).toMatchObject({
      exitCode: 0,
      stdout: "No events yet. Put one in with `millrace emit TYPE`.\n",
    });
    const follower = spawnMillrace(root, ["events", "-f", "--type", "order.*"]);

    writeFileSync(join(root, "order.json"), '{ "total": 12.5 }');
    const order = ["emit", "order.placed", "--subject", "order/7", "--id", "o7", "--data", "@order.json"];
    expect(await millrace(root, ...order)).toMatchObject({
      exitCode: 0,
      stdout: "Recorded order.placed o7 at position 1.\n",
    });
    const again = await millrace(root, ...order, "--json");
    expect(JSON.parse(again.stdout)).toEqual({ source: "/cli", id: "o7", position: 1, duplicate: true });
    await follower.said(/order\.placed {2}order\/7 {2}\/cli {2}o7 {2}\{"total":12\.5\}/);
    expect((await millrace(root, "emit", "day.closed", "--time", "2026-01-31T06:00:00Z")).exitCode).toBe(0);

    const list = await millrace(root, "events", "--json");
    const { events } = JSON.parse(list.stdout) as { events: { event: { type: string; time: string } }[] };
    expect(events.map(({ event }) => event.type)).toEqual(["day.closed", "order.placed"]);
    expect(events[0]?.event.time).toBe("2026-01-31T06:00:00.000Z");
    expect((await millrace(root, "events", "--since", "2h")).stdout).toMatch(
      /2 .*day\.closed[^]*1 .*order\.placed/,
    );
    expect((await millrace(root, "events", "--until", "2020-01-01")).stdout).toBe("No such events.\n");

    const raw = await millrace(root, "events", "show", "o7", "--raw");
    expect(raw).toMatchObject({ exitCode: 0, stdout: '{"total":12.5}' });
    for (const name of ["1", "o7"]) {
      const { stdout } = await millrace(root, "events", "show", name);
      expect(stdout).toMatch(/^order\.placed {2}position 1\n[^]* {2}subject +order\/7\n[^]*"total": 12\.5/);
    }

    const conflict = await millrace(root, "emit", "order.placed", "--id", "o7");
    expect(conflict.exitCode).toBe(2);
    expect(conflict.stderr).toContain("MILLRACE_EVENT_CONFLICT");
    const wrong = await millrace(root, "emit", "order.placed", "--time", "yesterday");
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('"time" is not valid') });
    const data = await millrace(root, "emit", "order.placed", "--data", "{");
    expect(data).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("`--data` is not JSON") });
    process.kill(follower.pid, "SIGTERM");
    expect(await follower.ended).toBe(143);
    // Also the second time, when it is a repeat.
    for (const said of ["Recorded order.paid p1 at position 3.", "p1 was recorded before, at position 3."])
      expect(await millrace(root, "emit", "order.paid", "--id", "p1", "--data", "{}")).toEqual({
        exitCode: 1,
        stdout: `${said}\n`,
        stderr: "It does not fit the declaration of its type, so it fires nothing: data.amount is missing.\n",
      });
    const task = ["--source", "/pipelines/la/emit-a", "--id", "r01qz1n3k1pw1et51/g1/loop.b/1"];
    await millrace(root, "emit", "loop.b", ...task);
    expect((await millrace(root, "events", "show", "4")).stdout).toMatch(
      /\n {2}caused by +run r01qz1n3k1pw1et51 of la, node emit-a\n/,
    );
    const unknown = await millrace(root, "events", "show", "nothing");
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("MILLRACE_EVENT_UNKNOWN") });
  },
  timeoutMs,
);

test("without a server both say so", async () => {
  const root = projectWith({});
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(probe.address() as AddressInfo).port}`;
  await new Promise((resolve) => probe.close(resolve));
  for (const command of [["emit", "order.placed"], ["events"]])
    expect((await millrace(root, ...command, "--url", url)).exitCode).toBe(4);
});
