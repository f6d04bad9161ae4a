import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { eventType, on, pipeline, task, wait } from "../src/index.ts";
import { lineOf, load, onlyError } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");
const see = task("see", (input: unknown) => input);
const order = z.object({ orderId: z.string(), amount: z.number(), customer: z.object({ name: z.string() }) });
const paid = eventType("order.paid", { schema: order });
const tagged = eventType("tagged", {
  schema: z.object({
    tags: z.array(z.string()),
    customer: z.object({ name: z.string() }),
    none: z.null(),
    maybe: z.union([z.array(z.string()), z.string()]),
    isNew: z.boolean(),
    at: z.number(),
  }),
});

function triggered(on: object) {
  return pipeline("p", { on: on as never }, () => see(1));
}

test("declared types are in the project's definition: those that are exported, and those that conditions use", () => {
  const used = eventType("order.used", { schema: z.object({ id: z.string() }) });
  const { definition, errors } = load({
    paid,
    again: paid,
    p: triggered(on.any([on.event(used).as("a"), on.event("free")]).as("b")),
  });
  expect(errors).toEqual([]);
  expect(definition.eventTypes).toMatchObject([
    { type: "order.paid", schema: { type: "object", required: ["orderId", "amount", "customer"] } },
    { type: "order.used", source: { file: "event-type.test.ts", line: lineOf(source, "const used =") } },
  ]);
  expect(definition.pipelines[0]?.trigger?.condition).toEqual({
    kind: "any",
    name: "b",
    of: [
      { kind: "event", type: "order.used", name: "a" },
      { kind: "event", type: "free" },
    ],
  });
  expect(load({ p: triggered(on.event("free")) }).definition).not.toHaveProperty("eventTypes");
});

test("a type that is declared twice with one schema is one; with two it is an error that names both places", () => {
  const same = eventType("order.paid", { schema: order });
  expect(load({ paid, same }).definition.eventTypes).toHaveLength(1);
  const other = eventType("order.paid", { schema: z.object({}) }); // the other one
  const error = onlyError({ paid, other });
  expect(error).toMatchObject({ code: "MILLRACE_EVENT_TYPE_INVALID", fields: { type: "order.paid" } });
  expect(error.message).toContain(`event-type.test.ts:${lineOf(source, "// the other one")}`);
  expect(error.message).toContain(`event-type.test.ts:${lineOf(source, "const paid =")}`);
});

test.each<[string, object, string, string]>([
  ["a filter", on.event("order.paid", { where: { data: { amuont: 1 } } }), "data.amuont", "data.amount"],
  [
    "a filter within",
    on.all([on.event("x"), on.event("order.paid", { where: { data: { customer: { nme: "a" } } } })]),
    "data.customer.nme",
    "data.customer.name",
  ],
  ["a filter in CEL", on.event(paid, { where: "data.amont > 5.0" }), "data.amont", "data.amount"],
  ["a key", on.count(on.event(paid), 3).by("data.orderID" as never), "data.orderID", "data.orderId"],
  [
    "a part of a key",
    on.all([on.event(paid).as("a"), on.event("x").as("b")]).by({ a: "data.ordrId" as never, b: "data.y" }),
    "data.ordrId",
    "data.orderId",
  ],
  [
    "the time of a window",
    on.window(on.event(paid), { every: "1h", time: "data.amout" as never }),
    "data.amout",
    "data.amount",
  ],
])("%s on a field that the schema lacks is an error with the nearest one", (_what, condition, path, near) => {
  const { errors, definition } = load({ paid, p: triggered(condition) });
  expect(errors).toMatchObject([
    { code: "MILLRACE_WHERE_INVALID", fields: { type: "order.paid", path, pipeline: "p" } },
  ]);
  expect(errors[0]?.message).toMatch(/^Pipeline "p" \(event-type\.test\.ts:\d+\): /);
  expect(errors[0]?.message).toContain(`Did you mean ${near}?`);
  expect(definition.pipelines).toEqual([]);
});

test.each<[string, object, string]>([
  ["a key that is a list", on.event(tagged).by("data.tags" as never), 'The key of "tagged" is data.tags'],
  ["a key that is an object", on.event(tagged).by("data.customer" as never), "data.customer"],
  ["a key that may only be null", on.event(tagged).by("data.none" as never), "data.none"],
  [
    "a part of a key that is a list",
    on.all([on.event(tagged).as("a"), on.event("x").as("b")]).by({ a: "data.tags" as never, b: "data.y" }),
    "a text, a number, true or false",
  ],
  [
    "a window's time that is true or false",
    on.window(on.event(tagged), { every: "1h", time: "data.isNew" }),
    "is data.isNew, which by the type's schema is never a text or a number",
  ],
])("%s is an error: no event would have one", (_what, condition, message) => {
  const { errors } = load({ tagged, p: triggered(condition) });
  expect(errors).toMatchObject([{ code: "MILLRACE_WHERE_INVALID", fields: { type: "tagged" } }]);
  expect(errors[0]?.message).toContain(message);
});

test("a key that may be one value, and a time in seconds, are no error", () => {
  for (const condition of [
    on.event(tagged).by("data.maybe"),
    on.event(tagged).by("data.isNew"),
    on.event(tagged).by("data.tags.0" as never),
    on.window(on.event(tagged), { every: "1h", time: "data.at" }),
  ])
    expect(load({ tagged, p: triggered(condition) }).errors).toEqual([]);
});

test("what the schema has, what it leaves open, and types by a prefix are no error", () => {
  const open = eventType("open", { schema: z.looseObject({ id: z.string() }) });
  const conditions = [
    on.event(paid, { where: { data: { amount: { gt: 1 }, customer: { name: "a" } }, subject: "s" } }),
    on.event(open, { where: { data: { anything: 1 } } as never }),
    on.event("order.*", { where: { data: { amuont: 1 } } }),
    on.event("undeclared", { where: { data: { amuont: 1 } } }).by("data.x"),
  ];
  for (const condition of conditions) expect(load({ paid, p: triggered(condition) }).errors).toEqual([]);
});

test.each([
  ["", "a name"],
  ["a b", "a name"],
  ["order.*", "a name"],
  ["millrace.run.failed", "Millrace's own"],
])("the name %j is refused", (name, why) => {
  expect(() => eventType(name, { schema: z.object({}) })).toThrow(why);
});

test("a schema that JSON Schema can't say is an error at the declaration", () => {
  const dated = eventType("dated", { schema: z.object({ at: z.date() }) }); // with a date
  expect(onlyError({ dated })).toMatchObject({
    code: "MILLRACE_LOAD_FAILED",
    message: expect.stringContaining('Event type "dated": the zod schema of its data'),
    source: { line: lineOf(source, "// with a date") },
  });
  expect(() => eventType("x", {} as never)).toThrow("needs a schema");
});

test("conditions of waits are held against declarations, too; a reference is no contradiction", () => {
  const made = (where: object) =>
    pipeline("p", () => {
      const order = see({ id: "a" }) as unknown as { readonly id: string };
      wait(on.event(paid, { where: { data: { orderId: order.id, ...where } } as never }));
    });
  expect(load({ p: made({}) }).definition.eventTypes).toMatchObject([{ type: "order.paid" }]);
  expect(onlyError({ p: made({ amuont: 1 }) })).toMatchObject({
    code: "MILLRACE_WHERE_INVALID",
    message: expect.stringMatching(
      /^In pipeline "p", the wait \(event-type\.test\.ts:\d+\): .*data\.amount\?/,
    ),
  });
  expect(
    onlyError({ p: pipeline("p", () => void wait(on.event("x", { where: "data.a == 1 && data.a == 2" }))) })
      .code,
  ).toBe("MILLRACE_CONDITION_INVALID");
});
