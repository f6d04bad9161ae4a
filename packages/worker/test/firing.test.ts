import { expect, test } from "vitest";
import { bundleCode, dispatchOf } from "./protocol-server.ts";
import { startFixture } from "./worker-fixture.ts";

const event = (position: number): object => ({ position, type: "order", data: { n: position } });

test("a task reads the members of its firing page by page, all or those of one operand, in their order", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  server.members = [
    ...[1, 2, 3].map((position) => ({ operand: "orders", value: event(position) })),
    { operand: "schedule", value: { from: "a", at: "b" } },
    { operand: "payments", value: event(9) },
    ...[4, 5].map((position) => ({ operand: "orders", value: event(position) })),
  ];
  const bundle = server.addBundle(
    bundleCode(`{ reads: async (_, { firing }) => {
      const orders = [];
      for await (const { data } of firing.events("orders")) orders.push(data.n);
      const all = [];
      for await (const { position } of firing.events()) all.push(position);
      const members = [];
      for await (const member of firing.members()) members.push(member.position ?? member.at);
      return { orders, all, members };
    } }`),
  );
  const dispatch = dispatchOf(bundle, "reads");
  expect(await fixture.run(dispatch)).toEqual({
    kind: "succeeded",
    output: {
      value: {
        orders: [1, 2, 3, 4, 5],
        all: [1, 2, 3, 9, 4, 5],
        members: [1, 2, 3, "b", 9, 4, 5],
      },
    },
  });
  const asked = server.requests.filter((line) => line.includes("/firing/members"));
  expect(asked).toHaveLength(3 + 4 + 4);
  expect(asked[1]).toBe(
    `GET /api/v1/runs/${dispatch.token.runId}/firing/members?operand=orders&cursor=2 Bearer secret`,
  );
});

test("who stops reading asks for no further page; without members there is nothing to read", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ first: async (_, { firing }) => {
      for await (const { position } of firing.events()) return position;
      return "none";
    } }`),
  );
  expect(await fixture.run(dispatchOf(bundle, "first"))).toMatchObject({ output: { value: "none" } });
  server.members = [1, 2, 3].map((position) => ({ operand: "orders", value: event(position) }));
  expect(await fixture.run(dispatchOf(bundle, "first"))).toMatchObject({ output: { value: 1 } });
  expect(server.requests.filter((line) => line.includes("/firing/members"))).toHaveLength(2);
});

test("what is emitted at once has the triggers that led to its run", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ now: async (_, ctx) => { await ctx.emit({ type: "t" }, { now: true }); } }`),
  );
  await fixture.run({ ...dispatchOf(bundle, "now"), causes: "a*2,b*1" });
  await fixture.run(dispatchOf(bundle, "now"));
  expect(server.emitted.map((one) => one["millracecauses"])).toEqual(["a*2,b*1", undefined]);
});
