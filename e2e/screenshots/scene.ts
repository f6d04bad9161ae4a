/** Real servers to take pictures of: one that has nothing, and a shop with work in every state. */
import { join } from "node:path";
import type { ApprovalView, EventView, Page } from "@millrace/protocol";
import type { Api } from "../harness/api.ts";
import { Lesson } from "../harness/lesson.ts";
import { Stack } from "../harness/stack.ts";
import { until } from "../harness/until.ts";

const projectFolder = join(import.meta.dirname, "project");
const patienceMs = 60_000;

/** What addresses may name: runs by what became of them, an event, an approval. */
export type Names = { readonly [name: string]: string };

export interface Scene extends AsyncDisposable {
  readonly url: string;
  readonly names: Names;
}

export async function emptyScene(): Promise<Scene> {
  const stack = await Stack.make();
  const { api } = await stack.server();
  return { url: api.url, names: {}, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
}

/** `millrace dev` on what `millrace init` wrote, once its first run has ended; with `isBroken`, after a mistake in its file. */
export async function newScene(isBroken: boolean): Promise<Scene> {
  const stack = await Stack.make();
  try {
    const lesson = new Lesson(stack);
    for (const line of ["npm install", "npx millrace init", "npx millrace dev"])
      await lesson.play({ kind: "command", line });
    await endedRuns(lesson.api, "hello", 1);
    if (isBroken)
      await lesson.mistake("pipelines/hello.ts", "list(firing.members.files);", "list(firing.members.files;");
    return { url: lesson.api.url, names: {}, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

export async function shopScene(): Promise<Scene> {
  const stack = await Stack.make();
  try {
    const { api } = await stack.server({ environment: { PAYMENTS_TOKEN: "a-token-of-the-sample" } });
    await stack.worker({ url: api.url, slots: 8 });
    await stack.deploy(api, { folder: projectFolder });
    const names = await fill(api);
    return { url: api.url, names, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

async function fill(api: Api): Promise<Names> {
  const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const failed = await api.start("reconcile");
  const waiting = await api.start("shipping", { params: { order: "4711" } });
  for (const order of ["4712", "4713"]) await api.start("shipping", { params: { order } });
  const retrying = await api.start("carrier-rates");
  const running = await api.start("train-model");
  for (let more = 0; more < 3; more += 1) await api.start("train-model");
  const asked = await api.start("newsletter");
  for (const ago of [2, 3]) await api.start("newsletter", { params: { day: day(ago) } });
  await api.start("sweep");
  const queued = await api.start("sweep");
  const cancelled = await api.start("sweep");
  await api.send("POST", `/runs/${cancelled}/cancel`, {});
  for (let at = 0; at < 25; at += 1) {
    await api.start("delivery", { params: { kilos: at % 3 === 0 ? 40 : 4 } });
    await api.start("reconcile", { params: { most: at % 9 === 8 ? 1_280 : 1_285 } });
  }
  await tellOrders(api);
  await tellAssets(api, day);
  await answerTwo(api);
  await api.send("POST", "/pipelines/supplier-report/pause", {});
  const succeeded = (await endedRuns(api, "delivery", 25))[0] ?? "";
  await endedRuns(api, "reconcile", 26);
  const batch = (await endedRuns(api, "orders", 16))[0] ?? "";
  const late = await api.start("reconcile", { params: { most: 1_279 } });
  await api.ended(late, patienceMs);
  const { items } = await api.send<Page<EventView>>("GET", "/events?type=order.paid&limit=1");
  const event = String(items[0]?.position ?? "");
  return {
    failed: late,
    older: failed,
    waiting,
    retrying,
    running,
    asked,
    queued,
    cancelled,
    succeeded,
    batch,
    event,
  };
}

async function tellOrders(api: Api): Promise<void> {
  const shops = ["lisbon", "nairobi", "oslo", "quito"];
  for (let at = 0; at < 66; at += 1) {
    const shop = shops[at % shops.length] ?? "";
    const data = { order: `${5_000 + at}`, amount: 12.5 + at, shop };
    await emit(api, { id: `paid-${at}`, type: "order.paid", subject: shop, data });
  }
  for (const shop of shops)
    await emit(api, { id: `open-${shop}`, type: "shop.opened", subject: shop, data: {} });
  for (const order of ["4801", "4802", "4803"])
    await emit(api, { id: `back-${order}`, type: "goods.returned", subject: order, data: { order } });
  await emit(api, { id: "return-4802", type: "return.approved", subject: "4802", data: { by: "ann" } });
  await emit(api, { id: "settled-4713", type: "payment.settled", subject: "4713", data: { order: "4713" } });
}

/** Days of data, of which one is missing and one was written twice. */
async function tellAssets(api: Api, day: (ago: number) => string): Promise<void> {
  for (let ago = 40; ago >= 1; ago -= 1) {
    if (ago === 7) continue;
    for (let revision = 1; revision <= (ago % 11 === 0 ? 3 : 1); revision += 1) {
      const data = { partition: day(ago), metadata: { rows: 1_200 + ago * 7 + revision } };
      await emit(api, {
        id: `lake-${ago}-${revision}`,
        type: "millrace.asset.updated",
        subject: "lake/orders_enriched",
        data,
      });
    }
  }
  const until = `${day(1)}T00:00:00Z`;
  await emit(api, {
    id: "lake-progress",
    type: "millrace.asset.progress",
    subject: "lake/orders_enriched",
    data: { until },
  });
  await emit(api, {
    id: "prices",
    type: "millrace.asset.updated",
    subject: "ref/prices",
    data: { metadata: { rows: 312 } },
  });
}

async function answerTwo(api: Api): Promise<void> {
  const open = await until("three approvals", patienceMs, async () => {
    const { items } = await api.send<Page<ApprovalView>>("GET", "/approvals");
    return items.length === 3 && items;
  });
  const [, second, third] = open;
  if (!second || !third) return;
  const form = { copies: 400, colour: "green", isUrgent: false };
  await api.send("POST", `/approvals/${encodeURIComponent(second.id)}`, { approved: true, by: "ann", form });
  await api.send("POST", `/approvals/${encodeURIComponent(third.id)}`, {
    approved: false,
    by: "bob",
    note: "the prices are last week's",
  });
}

async function emit(api: Api, event: object): Promise<void> {
  await api.emit({ specversion: "1.0", source: "/shop", ...event });
}

/** The newest first. */
async function endedRuns(api: Api, pipeline: string, count: number): Promise<string[]> {
  const runs = await until(`${count} ended runs of ${pipeline}`, patienceMs, async () => {
    const all = await api.runs(`pipeline=${pipeline}`);
    const ended = all.filter(({ state }) => state === "succeeded" || state === "failed");
    return ended.length >= count && ended;
  });
  return runs.map(({ id }) => id);
}
