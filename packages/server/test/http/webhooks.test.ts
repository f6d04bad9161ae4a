/** Webhooks on a real server: what a sender signs and posts is in the event log, and starts runs. */
import { createHash, createHmac } from "node:crypto";
import { request } from "node:http";
import { webhookAccepts, webhookRate, type WebhookDefinition } from "@millrace/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  bundleOf,
  node,
  pipeline,
  startFixture,
  succeeded,
  type Answer,
  type ServerFixture,
} from "./server-fixture.ts";

const secret = "a-secret-of-some-length";
const older = "the-secret-before-that";
const variables = {
  HOOK_SECRET: secret,
  OLD_SECRET: older,
  STANDARD_SECRET: "whsec_c29tZSBieXRlcyBvZiBhIGtleQ==",
};
const secrets = ["HOOK_SECRET", "OLD_SECRET"];
const toleranceMs = 300_000;

function webhook(
  name: string,
  verify: WebhookDefinition["verify"],
  parts: Partial<WebhookDefinition> = {},
): WebhookDefinition {
  return {
    name,
    verify,
    accepts: webhookAccepts(verify.kind),
    headers: [],
    rate: webhookRate,
    mapping: {},
    ...parts,
  };
}

const webhooks: readonly WebhookDefinition[] = [
  webhook("github", { kind: "github", secrets }, { headers: ["x-github-hook-id"] }),
  webhook("stripe", { kind: "stripe", secrets, toleranceMs }),
  webhook("slack", { kind: "slack", secrets, toleranceMs }),
  webhook("standard", { kind: "standard", secrets: ["STANDARD_SECRET"], toleranceMs }),
  webhook(
    "mapped",
    {
      kind: "hmac",
      secrets,
      header: "x-signature",
      algorithm: "sha512",
      encoding: "base64",
      prefix: "sig=",
      timestamp: { header: "x-time", signed: "{timestamp}.{body}", toleranceMs },
    },
    {
      mapping: {
        type: '"shop." + body.kind',
        subject: "body.order.id",
        time: "body.at",
        id: 'headers["x-request-id"]',
      },
    },
  ),
  webhook("token", { kind: "token", secrets }),
  webhook("open", { kind: "none" }),
  webhook("slow", { kind: "none" }, { rate: 1 }),
  webhook("unready", { kind: "github", secrets: ["NOT_THERE"] }),
];

let fixture: ServerFixture;
beforeAll(async () => {
  fixture = await startFixture({ variables });
  expect((await fixture.deploy([], { webhooks })).status).toBe(200);
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

type Headers = { readonly [name: string]: string };
const json = { "content-type": "application/json" };

async function post(
  name: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Headers = json,
): Promise<Answer> {
  const response = await fetch(`${fixture.server.url}/hooks/${name}`, { method: "POST", body, headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

function sign(text: string, key: string | Buffer = secret): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

function github(body: string, headers: Headers = {}): Headers {
  return { ...json, "x-hub-signature-256": `sha256=${sign(body)}`, "x-github-event": "push", ...headers };
}

function now(): string {
  return String(Math.floor(Date.now() / 1000));
}

function slack(body: string, headers: Headers = json): Headers {
  const time = now();
  return {
    ...headers,
    "x-slack-request-timestamp": time,
    "x-slack-signature": `v0=${sign(`v0:${time}:${body}`)}`,
  };
}

function mapped(body: string, headers: Headers = {}): Headers {
  const time = now();
  const signature = createHmac("sha512", older).update(`${time}.${body}`).digest("base64");
  return { ...json, "x-time": time, "x-signature": `sig=${signature}`, ...headers };
}

// oxlint-disable-next-line typescript/no-explicit-any -- events of all kinds
async function entry(position: number): Promise<any> {
  return (await fixture.call("GET", `/events/${position}`)).body;
}

describe("each kind's delivery becomes an event", () => {
  test("GitHub: of type, subject and id that it tells; a chosen header is an attribute", async () => {
    const body = JSON.stringify({ ref: "refs/heads/main", repository: { full_name: "millrace/millrace" } });
    const headers = github(body, { "x-github-delivery": "d-1", "x-github-hook-id": "77" });
    const answer = await post("github", body, headers);
    expect([answer.status, answer.body]).toEqual([200, { position: expect.any(Number) }]);
    const { event, invalid } = await entry(answer.body.position);
    expect(invalid).toBeUndefined();
    expect(event).toMatchObject({
      source: "/hooks/github",
      id: "d-1",
      type: "github.push",
      subject: "millrace/millrace",
      xgithubhookid: "77",
      datacontenttype: "application/json",
      data: JSON.parse(body),
    });
  });

  test("GitHub: its ping is answered, and its forms are read", async () => {
    const ping = '{"zen":"Keep it logically awesome."}';
    const answer = await post("github", ping, github(ping, { "x-github-event": "ping" }));
    expect(answer.status).toBe(200);
    expect((await entry(answer.body.position)).event).toMatchObject({
      type: "github.ping",
      id: createHash("sha256").update(ping).digest("hex"),
    });
    const form = `payload=${encodeURIComponent('{"repository":{"full_name":"a/b"}}')}`;
    const formHeaders = github(form, { "content-type": "application/x-www-form-urlencoded" });
    const { position } = (await post("github", form, formHeaders)).body;
    expect((await entry(position)).event).toMatchObject({ subject: "a/b", data: form });
  });

  test("Stripe: with its own id and time", async () => {
    const body = JSON.stringify({
      id: "evt_1",
      type: "charge.succeeded",
      created: 1_700_000_000,
      data: { object: { id: "ch_1" } },
    });
    const time = now();
    const signature = `t=${time},v1=${sign(`${time}.${body}`, "another secret")},v1=${sign(`${time}.${body}`)}`;
    const answer = await post("stripe", body, { ...json, "stripe-signature": signature });
    expect((await entry(answer.body.position)).event).toMatchObject({
      id: "evt_1",
      type: "stripe.charge.succeeded",
      subject: "ch_1",
      time: "2023-11-14T22:13:20.000Z",
    });
  });

  test("Slack: events, commands, and the challenge, which is no event", async () => {
    const body = JSON.stringify({
      event_id: "Ev1",
      event_time: 1_700_000_000,
      event: { type: "app_mention", channel: "C1" },
    });
    const answer = await post("slack", body, slack(body));
    expect((await entry(answer.body.position)).event).toMatchObject({
      id: "Ev1",
      type: "slack.app_mention",
      subject: "C1",
      time: "2023-11-14T22:13:20.000Z",
    });
    const command = "command=%2Freport&channel_id=C2&text=now";
    const form = slack(command, { "content-type": "application/x-www-form-urlencoded" });
    const { position } = (await post("slack", command, form)).body;
    expect((await entry(position)).event).toMatchObject({
      type: "slack.command",
      subject: "C2",
      data: command,
    });
    const button = JSON.stringify({ type: "block_actions", channel: { id: "C3", name: "ops" } });
    const pressed = `payload=${encodeURIComponent(button)}`;
    const press = slack(pressed, { "content-type": "application/x-www-form-urlencoded" });
    const { position: at } = (await post("slack", pressed, press)).body;
    expect((await entry(at)).event).toMatchObject({ type: "slack.block_actions", subject: "C3" });
    const challenge = '{"type":"url_verification","challenge":"c0ffee"}';
    expect(await post("slack", challenge, slack(challenge))).toMatchObject({
      status: 200,
      body: { challenge: "c0ffee" },
    });
    expect((await post("slack", challenge)).status).toBe(401);
  });

  test("Standard Webhooks: with its id, type and timestamp", async () => {
    const body = JSON.stringify({ type: "user.created", timestamp: "2026-01-31T06:00:00Z", data: { id: 7 } });
    const time = now();
    const key = Buffer.from("some bytes of a key");
    const signature = createHmac("sha256", key).update(`msg_1.${time}.${body}`).digest("base64");
    const headers = {
      "webhook-id": "msg_1",
      "webhook-timestamp": time,
      "webhook-signature": `v1,${signature}`,
    };
    const answer = await post("standard", body, { ...json, ...headers });
    expect((await entry(answer.body.position)).event).toMatchObject({
      id: "msg_1",
      type: "user.created",
      time: "2026-01-31T06:00:00.000Z",
    });
  });

  test("any HMAC, by the older of two secrets: what the mapping makes of body and headers", async () => {
    const body = JSON.stringify({ kind: "paid", order: { id: "o-7" }, at: "2026-01-31T06:00:00Z" });
    const answer = await post("mapped", body, mapped(body, { "x-request-id": "r-1" }));
    expect((await entry(answer.body.position)).event).toMatchObject({
      source: "/hooks/mapped",
      id: "r-1",
      type: "shop.paid",
      subject: "o-7",
      time: "2026-01-31T06:00:00.000Z",
    });
  });

  test("a token, and none where the project says so; text and bytes are kept", async () => {
    const answer = await post("token", "hello", {
      "content-type": "text/plain",
      authorization: `Bearer ${secret}`,
    });
    expect((await entry(answer.body.position)).event).toMatchObject({ type: "webhook.token", data: "hello" });
    const bytes = await post("open", Buffer.from([255, 0, 1]), {
      "content-type": "application/octet-stream",
    });
    expect((await entry(bytes.body.position)).event).toMatchObject({
      type: "webhook.open",
      data_base64: "/wAB",
    });
  });
});

describe("what is not quite right is kept, marked invalid", () => {
  test("a mapping that gives nothing of use", async () => {
    const body = '{"kind":5}';
    const answer = await post("mapped", body, mapped(body));
    expect(answer.status).toBe(200);
    const { event, invalid } = await entry(answer.body.position);
    expect(event).toMatchObject({
      type: "webhook.mapped",
      id: createHash("sha256").update(body).digest("hex"),
      data: { kind: 5 },
    });
    for (const name of ["type", "subject", "time", "id"])
      expect(invalid).toContain(`the mapping of ${name}: `);
    expect(answer.body).toEqual({ position: expect.any(Number), invalid });
  });

  test("data that does not fit what its type declares, which its sender is told", async () => {
    const schema = { type: "object", properties: { total: { type: "number" } }, required: ["total"] };
    await fixture.deploy([], {
      project: "declared",
      eventTypes: [{ type: "webhook.declared", schema }],
      webhooks: [webhook("declared", { kind: "none" })],
    });
    const right = await post("declared", '{"total":1}');
    expect([right.status, right.body]).toEqual([200, { position: expect.any(Number) }]);
    const wrong = await post("declared", '{"total":"1"}');
    expect([wrong.status, wrong.body]).toEqual([
      200,
      { position: expect.any(Number), invalid: expect.stringContaining("total") },
    ]);
    expect((await entry(wrong.body.position)).invalid).toBe(wrong.body.invalid);
    const repeated = await post("declared", '{"total":"1"}');
    expect(repeated.body).toEqual({ position: wrong.body.position, duplicate: true });
  });

  test("a type of Millrace's own", async () => {
    await fixture.deploy([], {
      project: "own",
      webhooks: [webhook("own", { kind: "none" }, { mapping: { type: '"millrace.trigger.changed"' } })],
    });
    const { event, invalid } = await entry((await post("own", "{}")).body.position);
    expect(event.type).toBe("webhook.own");
    expect(invalid).toContain("is no type");
  });

  test("a body that is not the JSON that it says", async () => {
    for (const [body, data] of [
      ["{", { data: "{" }],
      [Buffer.from([123, 255]), { data_base64: "e/8=" }],
      ["[".repeat(2_000) + "]".repeat(2_000), { data: expect.stringMatching(/^\[{2000}/) }],
    ] as const) {
      const { event, invalid } = await entry((await post("open", body)).body.position);
      expect(event).toMatchObject(data);
      expect(invalid).toMatch(/JSON|UTF-8|nested/);
    }
  });

  test("a compressed body", async () => {
    const headers = { "content-type": "text/plain", "content-encoding": "gzip" };
    const { event, invalid } = await entry(
      (await post("open", Buffer.from([31, 139, 8]), headers)).body.position,
    );
    expect(event).toMatchObject({ data_base64: "H4sI" });
    expect(invalid).toContain('the body is compressed (content-encoding "gzip")');
  });

  test("texts that PostgreSQL holds as JSON alone", async () => {
    const texts = ["\\u0000", "\\ud800", "\u2028"];
    for (const text of texts) {
      const body = `{"text":"${text}"}`;
      const answer = await post("open", body);
      expect([text, answer.status]).toEqual([text, 200]);
      expect((await entry(answer.body.position)).event.data).toEqual(JSON.parse(body));
      const inMapping = await post("mapped", `{"kind":"${text}"}`, mapped(`{"kind":"${text}"}`));
      expect([text, inMapping.status]).toEqual([text, 200]);
    }
  });

  test("a body that comes under the id of another one: both are there, and it is told", async () => {
    const first = '{"n":1}';
    const headers = { "x-github-delivery": "same" };
    const { position } = (await post("github", first, github(first, headers))).body;
    const again = await post("github", first, github(first, { ...headers, "x-github-hook-id": "new" }));
    expect([again.status, again.body]).toEqual([200, { position, duplicate: true }]);
    const second = '{"n":2}';
    const other = await post("github", second, github(second, headers));
    expect([other.status, other.body]).toEqual([200, { position: expect.any(Number), conflict: position }]);
    const kept = await entry(other.body.position);
    expect(kept.event.data).toEqual({ n: 2 });
    expect(kept.invalid).toContain(`at position ${position}`);
    expect(fixture.logged.some((line) => line.includes("has the id of the event"))).toBe(true);
    const repeated = await post("github", second, github(second, headers));
    expect(repeated.body).toEqual(other.body);
    expect((await entry(position)).event.data).toEqual({ n: 1 });
  });
});

test("a repeated delivery is answered 2xx and is in the log once, also when both come at once", async () => {
  const body = '{"once":true}';
  const headers = github(body, { "x-github-delivery": "once" });
  const answers = await Promise.all(Array.from({ length: 8 }, () => post("github", body, headers)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map((answer) => answer.body.position)).size).toBe(1);
  expect(answers.filter((answer) => answer.body.duplicate === undefined)).toHaveLength(1);
  const listed = await fixture.call("GET", "/events?source=/hooks/github&id=once");
  expect(listed.body.items).toHaveLength(1);
});

describe("what is refused", () => {
  test("an unknown name and a wrong signature are one answer", async () => {
    const wrong = await post("github", "{}", github("other"));
    const unknown = await post("nobody", "{}", github("{}"));
    expect([wrong.status, wrong.body.code]).toEqual([401, "MILLRACE_WEBHOOK_REFUSED"]);
    expect(unknown.status).toBe(401);
    expect(unknown.body).toEqual(wrong.body);
    const wrongType = await post("github", "{}", { "content-type": "text/plain" });
    expect(wrongType.body).toEqual(wrong.body);
    expect((await post("token", "{}", { ...json, authorization: "Bearer no" })).body).toEqual(wrong.body);
    expect((await post("token", "{}")).body).toEqual(wrong.body);
  });

  test("an old timestamp", async () => {
    const time = String(Math.floor(Date.now() / 1000) - 301);
    const headers = { "x-slack-request-timestamp": time, "x-slack-signature": `v0=${sign(`v0:${time}:{}`)}` };
    const answer = await post("slack", "{}", { ...json, ...headers });
    expect([answer.status, answer.body.code]).toEqual([401, "MILLRACE_WEBHOOK_STALE"]);
  });

  test("a wrong content type, once the signature is right", async () => {
    for (const type of ["text/plain", "application/xml"]) {
      const answer = await post("github", "{}", github("{}", { "content-type": type }));
      expect([answer.status, answer.body.code]).toEqual([415, "MILLRACE_WEBHOOK_CONTENT"]);
    }
  });

  test("a body that is too large, whatever the name", async () => {
    const large = "x".repeat(1024 * 1024 + 1);
    for (const name of ["github", "nobody"]) {
      const answer = await post(name, large);
      expect([answer.status, answer.body.code]).toEqual([413, "MILLRACE_EVENT_TOO_LARGE"]);
    }
  });

  test("too many: 429 with a time to come back, and the rest of them is recorded", async () => {
    const answers = [];
    for (let n = 0; n < 6; n += 1) answers.push(await post("slow", `{"n":${n}}`));
    const over = answers.filter(({ status }) => status === 429);
    expect(over.length).toBeGreaterThanOrEqual(2);
    expect(over[0]!.body.code).toBe("MILLRACE_EVENTS_OVERLOADED");
    expect(over[0]!.headers.get("retry-after")).toBe("1");
    const listed = await fixture.call("GET", "/events?source=/hooks/slow");
    expect(listed.body.items).toHaveLength(answers.length - over.length);
  });

  test("a secret that the server lacks: the sender is not told which, the log is", async () => {
    const answer = await post("unready", "{}", github("{}"));
    expect([answer.status, answer.body.code]).toEqual([503, "MILLRACE_WEBHOOK_UNREADY"]);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(JSON.stringify(answer.body)).not.toContain("NOT_THERE");
    expect(fixture.logged.filter((line) => line.includes("NOT_THERE"))).toHaveLength(1);
  });

  test("another method", async () => {
    for (const name of ["github", "no-such-webhook"]) {
      const response = await fetch(`${fixture.server.url}/hooks/${name}`);
      expect([response.status, await response.json()]).toMatchObject([
        404,
        { detail: `Deliveries come by POST, and this is GET /hooks/${name}.` },
      ]);
    }
  });
});

test("no secret is in any row, answer or line of the log", async () => {
  const { rows } = await fixture.database.database.api.query<{ text: string }>(
    `select definition::text as text from deployment
    union all select data::text from event_log union all select attributes::text from event_log`,
  );
  const listed = await fixture.call("GET", "/webhooks");
  const all = [...rows.map((row) => row.text), ...fixture.logged, JSON.stringify(listed.body)].join("\n");
  for (const value of Object.values(variables)) expect(all).not.toContain(value);
});

describe("deploys", () => {
  test("tell the difference of webhooks, refuse another project's name, and retire what is gone", async () => {
    await using own = await startFixture({ variables, publicUrl: "https://m.example.com/" });
    const a = webhook("a", { kind: "none" });
    const b = webhook("b", { kind: "github", secrets: ["HOOK_SECRET", "NOT_THERE"] });
    const first = await own.deploy([], { webhooks: [a, b] });
    expect(first.body.webhooks).toEqual({ added: ["a", "b"], changed: [], unchanged: [], retired: [] });
    expect((await own.call("GET", "/webhooks")).body.items).toEqual([
      {
        name: "a",
        project: "test",
        kind: "none",
        address: "https://m.example.com/hooks/a",
        missingSecrets: [],
      },
      {
        name: "b",
        project: "test",
        kind: "github",
        address: "https://m.example.com/hooks/b",
        missingSecrets: ["NOT_THERE"],
      },
    ]);
    const foreign = await own.deploy([], { project: "other", webhooks: [a] });
    expect([foreign.status, foreign.body.code]).toEqual([409, "MILLRACE_PROJECT_CONFLICT"]);
    const second = await own.deploy([], { webhooks: [{ ...b, rate: 7 }] });
    expect(second.body.webhooks).toEqual({ added: [], changed: ["b"], unchanged: [], retired: ["a"] });
    const gone = await fetch(`${own.server.url}/hooks/a`, { method: "POST", body: "{}" });
    expect(gone.status).toBe(401);
    expect((await own.deploy([], { project: "other", webhooks: [a] })).status).toBe(200);
    const back = await own.call("POST", "/deployments/rollback", { project: "test" });
    expect([back.status, back.body.code]).toEqual([409, "MILLRACE_PROJECT_CONFLICT"]);
    expect((await own.deploy([], {})).body.webhooks).toEqual({
      added: [],
      changed: [],
      unchanged: [],
      retired: ["b"],
    });
  });

  test.each([
    ["an unknown kind", { verify: { kind: "magic" } }, "verify.kind"],
    ["no secret", { verify: { kind: "github", secrets: [] } }, "verify.secrets"],
    [
      "a secret in place of its name",
      { verify: { kind: "github", secrets: ["it's this"] } },
      "verify.secrets.0",
    ],
    ["a header with a secret", { headers: ["authorization"] }, "headers.0"],
    ["a header that would be the event's id", { headers: ["id"] }, "headers.0"],
    ["a rate of none", { rate: 0 }, "rate"],
    ["an unknown member", { acepts: [] }, "acepts"],
  ])("refuse %s", async (_name, parts, path) => {
    const wrong = { ...webhook("wrong", { kind: "none" }), ...parts };
    const answer = await fixture.deploy([], { project: "wrong", webhooks: [wrong] });
    expect([answer.status, answer.body.code, answer.body.fields?.path]).toEqual([
      422,
      "MILLRACE_WEBHOOK_INVALID",
      path,
    ]);
  });

  test("refuse a mapping that is no CEL", async () => {
    const wrong = webhook("wrong", { kind: "none" }, { mapping: { type: "body.(" } });
    const answer = await fixture.deploy([], { project: "wrong", webhooks: [wrong] });
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toContain("mapping.type");
  });
});

test("Host, Origin and token are no matter at a webhook, and are everywhere else", async () => {
  await using own = await startFixture({ variables, token: "the-token" });
  const bearer = { authorization: "Bearer the-token" };
  const bundle = bundleOf("test", "//");
  await own.call("PUT", `/bundles/${bundle.manifest.hash}`, bundle, bearer);
  const definition = { project: "test", pipelines: [], pools: {}, queues: [], webhooks: [webhooks[0]!] };
  const deployed = await own.call(
    "POST",
    "/deployments",
    { bundle: bundle.manifest.hash, definition },
    bearer,
  );
  expect(deployed.status).toBe(200);
  const status = (path: string, headers: Headers) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(`${own.server.url}${path}`, { method: "POST", headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end("{}");
    });
  const outside = { host: "hooks.example.com", origin: "https://evil.example" };
  expect(await status("/hooks/github", { ...github("{}"), ...outside })).toBe(200);
  for (const path of ["/hooks", "/hooks/a/b", "/api/v1/events"])
    expect([path, await status(path, { ...github("{}"), ...outside })]).toEqual([path, 403]);
  expect(await status("/hooks/a/b", github("{}"))).toBe(401);
});

test("a delivery starts a run that sees it", async () => {
  await using own = await startFixture({ variables });
  const seen = new Promise<unknown>((resolve) => {
    void own.worker({
      answer: ({ input }) => {
        resolve(input);
        return succeeded(null);
      },
    });
  });
  const condition = {
    kind: "event",
    name: "pushes",
    type: "github.push",
    where: { op: "eq", path: ["data", "ref"], value: "refs/heads/main" },
  } as const;
  const trigger = { condition, onResume: "all", catchUp: "latest" } as const;
  const deployed = await own.deploy(
    [pipeline("build", [node("see", { input: { kind: "firing", path: [] } })], { trigger })],
    { webhooks },
  );
  expect(deployed.status).toBe(200);
  for (const ref of ["refs/heads/other", "refs/heads/main"]) {
    const body = JSON.stringify({ ref });
    await fetch(`${own.server.url}/hooks/github`, { method: "POST", body, headers: github(body) });
  }
  expect(await seen).toMatchObject({
    value: { members: { pushes: [{ type: "github.push", data: { ref: "refs/heads/main" } }] } },
  });
});

test("at a server that does not record, a repeat and another body under a known id are told apart, too, and what is invalid is told", async () => {
  await using own = await startFixture({ variables });
  await using other = await own.anotherServer();
  expect(
    (await own.deploy([], { webhooks: [webhook("open", { kind: "none" }, { mapping: { id: "body.id" } })] }))
      .status,
  ).toBe(200);
  // The other one hears of it from the database.
  while ((await other.call("GET", "/webhooks")).body.items.length === 0);
  const statuses = new Set<number>();
  type Told = { readonly position?: number; readonly conflict?: number; readonly invalid?: string };
  const send = async (url: string, body: object | string): Promise<Told> => {
    const response = await fetch(`${url}/hooks/open`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: json,
    });
    statuses.add(response.status);
    return (await response.json()) as Told;
  };
  const servers = [own.server.url, other.server.url];
  for (const [at, url] of servers.entries()) await send(url, { id: `first-${at}`, n: 1 });
  const positions = async (): Promise<Map<string, number>> => {
    const { items } = (await own.call("GET", "/events?source=/hooks/open")).body as {
      items: { position: number; event: { id: string } }[];
    };
    return new Map(items.map(({ position, event }) => [event.id, position]));
  };
  let known = await positions();
  // What another server took is on its way.
  while (known.size < 2) known = await positions();
  for (const [at] of servers.entries()) {
    const before = known.get(`first-${at}`);
    for (const url of servers) {
      expect((await send(url, { id: `first-${at}`, n: 1 })).conflict).toBeUndefined();
      expect((await send(url, { id: `first-${at}`, n: 2 })).conflict).toBe(before);
    }
  }
  for (const url of servers) expect((await send(url, `{"of":"${url}"`)).invalid).toContain("not JSON");
  expect(statuses).toEqual(new Set([200, 202]));
});
