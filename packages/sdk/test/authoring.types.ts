/**
 * The type test of the SDK: it is never run, tsc verifies it. Each `@ts-expect-error` is a mistake that the compiler
 * must refuse; each `same<…>()` is a type that it must infer.
 */
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import {
  branch,
  cross,
  defineConfig,
  group,
  pipeline,
  shortCircuit,
  task,
  when,
  zip,
  type Pipeline,
  type Ref,
  type Settled,
  type Task,
} from "../src/index.ts";

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- compares two types exactly
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(..._proof: Same<A, B> extends true ? [] : [never]): void;
declare function typeOf<T>(ref: Ref<T>): T;

interface Order {
  id: string;
  customer: { name: string; vip?: boolean };
  lines: { sku: string; count: number }[];
}

const ping = task("ping", async () => {});
const now = task("now", () => ({ at: "2026-01-01" }));
const contextOnly = task("context-only", async (_: void, ctx) => ctx.run.id);
const untyped = task("untyped", async (_, ctx) => ctx.attempt);
const load = task("load", async (input: { day: string; limit?: number }, ctx) => {
  ctx.log.info("loading", { day: input.day });
  const orders: Order[] = [];
  return orders;
});
const ship = task(
  "ship",
  { retries: { max: 3, on: [TypeError, "Busy"] } },
  async (order: Order) => order.lines.length,
);
const add = task("add", (input: { a: number; b: number }) => input.a + input.b);
const maybe = task("maybe", async (): Promise<Order | null> => null);
// oxlint-disable-next-line typescript/no-explicit-any -- what JSON.parse gives
const parsed = task("parsed", async (): Promise<any> => 1);
const pair = task("pair", async (input: [string, number]) => input[1]);
const sum = task("sum", async (input: readonly number[]) => input.length);
const optionalInput = task("optional-input", async (input?: { day: string }) => input?.day ?? "");

// oxlint-disable-next-line typescript/no-useless-default-assignment -- the input may be left out
const defaulted = task("defaulted", async (day: string = "today", ctx) => `${day} ${ctx.attempt}`);
const messages = task("messages", (all: readonly Settled<number>[]) =>
  all.filter((one) => one.status === "failed").map((one) => one.error?.message ?? ""),
);

same<typeof defaulted, Task<string | undefined, string>>();
same<typeof messages, Task<readonly Settled<number>[], string[]>>();
same<typeof ping, Task<void, null>>();
same<typeof contextOnly, Task<void, string>>();
same<typeof untyped, Task<void, number>>();
same<typeof add, Task<{ a: number; b: number }, number>>();

export const references = pipeline("references", {}, () => {
  const orders = load({ day: "2026-01-01" });
  same<typeof orders, Ref<Order[]>>();
  const first = orders[0]!;
  same<typeof first, Ref<Order>>();
  same<typeof first.customer.name, Ref<string>>();
  same<typeof orders.length, Ref<number>>();
  same<typeof first.customer.vip, Ref<boolean | null>>();
  ping();
  ping(undefined, { after: orders });
  now(undefined, { id: "later", after: [orders, first.id] });
  optionalInput();
  optionalInput({ day: first.id });
  defaulted();
  defaulted(first.id, { id: "defaulted-again" });
  // @ts-expect-error a wrong type, also where there is a default
  defaulted(5);
  load({ day: first.id, limit: first.lines[0]!.count });
  load({ day: first.customer.name }, { timeout: "1h30m", pool: { name: "db", slots: 2 } });
  ship(first, { rule: "all_done", id: "again" });
  ship({ id: "1", customer: first.customer, lines: first.lines });
  ship({ id: first.id, customer: { name: first.id }, lines: [first.lines[0]!, { sku: "x", count: 2 }] });
  pair(["a", first.lines[0]!.count]);
  pair([first.id, 2]);
  load({ day: parsed().some.where[3] });
  ship(parsed());

  // @ts-expect-error the input is required
  load();
  // @ts-expect-error a wrong type
  load({ day: 5 });
  // @ts-expect-error a reference of a wrong type
  load({ day: first.lines[0]!.count });
  // @ts-expect-error a missing property
  load({});
  // @ts-expect-error an unknown property
  load({ day: "x", dya: "y" });
  // @ts-expect-error a whole output of a wrong type
  ship(orders);
  // @ts-expect-error no such property on the reference
  add({ a: 1, b: first.lines[0]!.size });
  // @ts-expect-error the value may be null, so its members can't be read here
  load({ day: maybe().id });
  // @ts-expect-error the property may be absent, and then it is null
  load({ day: "x", limit: first.customer.vip });
  // @ts-expect-error a task without input takes none
  ping({ day: "x" });
  // @ts-expect-error no such option
  ping(undefined, { retrys: 3 });
  // @ts-expect-error no such rule
  ping(undefined, { rule: "all_well" });
  // @ts-expect-error no duration
  ping(undefined, { timeout: "soon" });
  // @ts-expect-error `after` takes references
  ping(undefined, { after: "load" });
  // @ts-expect-error a reference is not its value
  const value: string = first.id;
  // @ts-expect-error an index beyond the tuple's type
  pair([first.id, 2, 3]);
  return value;
});

export const maps = pipeline("maps", {}, () => {
  const orders = load({ day: "x" });
  same<ReturnType<typeof typeOf<number[]>>, number[]>();
  const counts = ship.map(orders);
  same<typeof counts, Ref<number[]>>();
  sum(counts);
  const settled = ship.map(orders, { settled: true, concurrency: 3 });
  same<typeof settled, Ref<Settled<number>[]>>();
  load.map(["a", "b"], (day, index) => {
    same<typeof day, Ref<string>>();
    same<typeof index, Ref<number>>();
    return { day, limit: index };
  });
  load.map([{ day: "a" }, { day: orders[0]!.id }]);
  const perLine = add.map(orders, (order, index) => ({ a: order.lines[0]!.count, b: index }), {
    concurrency: 2,
    retries: 3,
    settled: true,
  });
  same<typeof perLine, Ref<Settled<number>[]>>();
  pair.map(zip(["a", "b"], counts));
  // @ts-expect-error references are not iterated, so not destructured as a tuple
  add.map(cross(counts, [1, 2]), ([a, b]) => ({ a, b }));
  add.map(cross(counts, [1, 2]), (both) => ({ a: both[0], b: both[1] }));
  ping.map([1, 2, 3]);

  // @ts-expect-error the elements have a wrong type
  load.map(orders);
  // @ts-expect-error not a list
  ship.map(orders[0]!);
  // @ts-expect-error the input made from the element has a wrong type
  load.map(orders, (order) => ({ day: order.lines }));
  // @ts-expect-error the tuple's order is wrong
  pair.map(zip(counts, ["a", "b"]));
  // @ts-expect-error a settled list holds outcomes
  sum(settled);
  // @ts-expect-error no such option
  ship.map(orders, { concurency: 3 });
});

export const groups = pipeline("groups", {}, () => {
  const orders = load({ day: "x" });
  const plain = group("plain", () => ({ total: sum(ship.map(orders)) }));
  same<typeof plain.total, Ref<number>>();
  const shipped = group.map("each", orders, (order, index) => {
    same<typeof order, Ref<Order>>();
    const count = ship(order);
    return add({ a: count, b: index });
  });
  same<typeof shipped, Ref<number[]>>();
  const settled = group.map("settled", orders, (order) => ship(order), { settled: true });
  same<typeof settled, Ref<Settled<number>[]>>();
  const nested = group.map("nested", orders, (order) =>
    add.map(order.lines, (line, index) => ({ a: line.count, b: index })),
  );
  same<typeof nested, Ref<number[][]>>();
  // @ts-expect-error a group's body returns a reference or nothing
  group.map("wrong", orders, () => 5);
});

const quality = branch("quality", { choices: ["good", "bad"] }, async (input: { errors: number }) =>
  input.errors === 0 ? "good" : ["bad"],
);
// @ts-expect-error an answer that is not among the choices
branch("wrong", { choices: ["good", "bad"] }, () => "ugly");
const workday = shortCircuit("workday", (input: { day: string }) => input.day !== "2026-12-25");
// @ts-expect-error a short circuit answers true or false
shortCircuit("wrong", () => "yes");

export const decisions = pipeline("decisions", {}, () => {
  const verdict = quality({ errors: 0 });
  const made = when(verdict, "good", () => now());
  same<typeof made, Ref<{ at: string }>>();
  ping(undefined, { after: [when(verdict, ["good", "bad"]), workday({ day: made.at })] });
  const setup = now(undefined, { id: "setup" });
  ping(undefined, { id: "end", teardown: [setup, made] });
  // @ts-expect-error no such choice
  when(verdict, "ugly");
  // @ts-expect-error not a branch
  when(made, "good");
});

const zodParams = z.object({ day: z.string(), limit: z.number().default(5) });
const withZod = pipeline("with-zod", { params: zodParams, tags: ["a"], deadline: "2h" }, ({ params }) => {
  same<typeof params.day, Ref<string>>();
  return { orders: load({ day: params.day, limit: params.limit }), limit: params.limit, constant: 1 };
});
same<
  typeof withZod,
  Pipeline<{ day: string; limit?: number | undefined }, { orders: Order[]; limit: number; constant: number }>
>();
pipeline("with-arktype", { params: type({ day: "string", "limit?": "number" }) }, ({ params }) => {
  load({ day: params.day });
  // @ts-expect-error no such parameter
  load({ day: params.dya });
});
pipeline("with-valibot", { params: toStandardJsonSchema(v.object({ day: v.string() })) }, ({ params }) => {
  load({ day: params.day });
});
pipeline(
  "with-transform",
  { params: z.object({ day: z.string().transform((day) => new Date(day)) }) },
  ({ params }) => {
    same<typeof params.day, Ref<string>>();
  },
);
const nothing = pipeline("nothing", () => {
  ping();
});
same<typeof nothing, Pipeline<void, null>>();

export const calls = pipeline("calls", { defaults: { retries: 2, queue: "slow" } }, () => {
  const result = withZod.call({ day: "x" }, { id: "again" });
  ship(result.orders[0]!);
  nothing.call();
  const all = withZod.call.map(["a", "b"], (day) => ({ day }), { concurrency: 1 });
  same<(typeof all)[0]["limit"], Ref<number>>();
  // @ts-expect-error a parameter of a wrong type
  withZod.call({ day: 5 });
  // @ts-expect-error the parameters are required
  withZod.call();
});
// @ts-expect-error no such option
pipeline("wrong", { retries: 3 }, () => {});
// @ts-expect-error the configuration needs a project
defineConfig({ include: [] });
