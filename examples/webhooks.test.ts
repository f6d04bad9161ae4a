/** The example of webhooks, for real: each sender's delivery, signed here as the sender signs it. */
import { createHmac, type BinaryLike } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SharedServer } from "./shared-server.ts";

const secrets = {
  GITHUB_SECRET: "github-secret",
  GITHUB_SECRET_BEFORE: "github-secret-of-last-year",
  STRIPE_SECRET: "whsec_stripe",
  SLACK_SECRET: "slack-secret",
  PARTNER_SECRET: `whsec_${Buffer.from("twenty-four bytes of key").toString("base64")}`,
  SHOP_SECRET: "shop-secret",
  GITLAB_TOKEN: "gitlab-token",
};

let server: SharedServer;
beforeAll(async () => {
  server = await SharedServer.start("webhooks", secrets);
}, 120_000);
afterAll(async () => server.stop());

function sign(key: BinaryLike, text: string, encoding: "hex" | "base64" = "hex"): string {
  return createHmac("sha256", key).update(text).digest(encoding);
}

type Headers = { readonly [name: string]: string };
interface Sender {
  readonly body: string;
  headers(body: string, time: string): Headers;
  /** What is in the log then. */
  readonly event: { readonly type: string; readonly [member: string]: unknown };
}

const senders: { readonly [name: string]: Sender } = {
  github: {
    body: '{"ref":"refs/heads/main","after":"c0ffee","repository":{"full_name":"shop/site"}}',
    headers: (body) => ({
      "x-github-event": "push",
      "x-github-delivery": "delivery-1",
      "x-github-hook-id": "7",
      "x-hub-signature-256": `sha256=${sign(secrets.GITHUB_SECRET_BEFORE, body)}`,
    }),
    event: { type: "github.push", subject: "shop/site", id: "delivery-1", xgithubhookid: "7" },
  },
  stripe: {
    body: '{"id":"evt_1","type":"charge.succeeded","created":1767225600,"data":{"object":{"id":"ch_1"}}}',
    headers: (body, time) => ({
      "stripe-signature": `t=${time},v1=${sign(secrets.STRIPE_SECRET, `${time}.${body}`)}`,
    }),
    event: {
      type: "stripe.charge.succeeded",
      subject: "ch_1",
      id: "evt_1",
      time: "2026-01-01T00:00:00.000Z",
    },
  },
  slack: {
    body: '{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention","channel":"C1"}}',
    headers: (body, time) => ({
      "x-slack-request-timestamp": time,
      "x-slack-signature": `v0=${sign(secrets.SLACK_SECRET, `v0:${time}:${body}`)}`,
    }),
    event: { type: "slack.app_mention", subject: "C1", id: "Ev1" },
  },
  partner: {
    body: '{"type":"user.created","timestamp":"2026-01-01T00:00:00Z","data":{"id":7}}',
    headers: (body, time) => ({
      "webhook-id": "msg_1",
      "webhook-timestamp": time,
      "webhook-signature": `v1,${sign(Buffer.from("twenty-four bytes of key"), `msg_1.${time}.${body}`, "base64")}`,
    }),
    event: { type: "user.created", id: "msg_1", time: "2026-01-01T00:00:00.000Z" },
  },
  shop: {
    body: '{"kind":"paid","order":7,"at":"2026-01-01T00:00:00Z"}',
    headers: (body, time) => ({
      "x-shop-time": time,
      "x-shop-delivery": "s-1",
      "x-shop-signature": `sha256=${sign(secrets.SHOP_SECRET, `${time}.${body}`)}`,
    }),
    event: { type: "shop.paid", subject: "order/7", id: "s-1", time: "2026-01-01T00:00:00.000Z" },
  },
  gitlab: {
    body: '{"object_kind":"push"}',
    headers: () => ({ "x-gitlab-token": secrets.GITLAB_TOKEN, "x-gitlab-event-uuid": "g-1" }),
    event: { type: "gitlab.push", id: "g-1" },
  },
  bell: { body: "", headers: () => ({}), event: { type: "bell.rung" } },
};

async function post(
  name: string,
  headers: Headers,
): Promise<{ status: number; answer: { position?: number } }> {
  const response = await fetch(`${server.url}/hooks/${name}`, {
    method: "POST",
    body: senders[name]!.body,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, answer: (await response.json()) as { position?: number } };
}

const now = (): string => String(Math.floor(Date.now() / 1_000));

test.each(Object.entries(senders))("a delivery of %s is in the log, once", async (name, sender) => {
  const first = await post(name, sender.headers(sender.body, now()));
  expect([first.status, first.answer]).toEqual([200, { position: expect.any(Number) }]);
  const again = await post(name, sender.headers(sender.body, now()));
  expect([again.status, again.answer]).toEqual([200, { ...first.answer, duplicate: true }]);
  const shown = await server.millrace("webhooks", [
    "events",
    "show",
    String(first.answer.position),
    "--json",
  ]);
  expect(shown.code, shown.stderr).toBe(0);
  expect(JSON.parse(shown.stdout)).toMatchObject({ event: { source: `/hooks/${name}`, ...sender.event } });
});

test.each(Object.keys(senders).filter((name) => name !== "bell"))(
  "what is not signed is not taken by %s",
  async (name) => {
    expect((await post(name, {})).status).toBe(401);
  },
);

test("hooks lists them all", async () => {
  const { stdout } = await server.millrace("webhooks", ["hooks", "--json"]);
  const { hooks } = JSON.parse(stdout) as {
    readonly hooks: readonly { name: string; missingSecrets: string[] }[];
  };
  expect(hooks.map(({ name }) => name)).toEqual(Object.keys(senders).sort());
  expect(hooks.flatMap(({ missingSecrets }) => missingSecrets)).toEqual([]);
});

test("the push has built its commit", async () => {
  const runs = await server.millrace("webhooks", ["runs", "--json"]);
  const [run] = (JSON.parse(runs.stdout) as { readonly runs: readonly { id: string; pipeline: string }[] })
    .runs;
  expect(run?.pipeline).toBe("build-main");
  const logs = await server.millrace("webhooks", ["logs", run!.id, "-f"]);
  expect(logs.code, logs.stderr).toBe(0);
  const shown = await server.millrace("webhooks", ["show", run!.id, "--json"]);
  expect(shown.stdout).toContain("built c0ffee");
});
