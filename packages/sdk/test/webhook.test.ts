import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { webhook, type WebhookOptions } from "../src/index.ts";
import { lineOf, load, onlyError } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");

function definitionOf(options: WebhookOptions): unknown {
  const { definition, errors } = load({ made: webhook("made", options) });
  if (errors[0]) throw errors[0];
  return definition.webhooks?.[0];
}

test("an exported webhook is deployed, with what its kind takes; it has names of secrets only", () => {
  const github = webhook("github", { verify: { kind: "github", secret: "GITHUB_SECRET" } }); // github
  const { definition, errors } = load({ github, again: github, other: 5 });
  expect(errors).toEqual([]);
  expect(definition.webhooks).toEqual([
    {
      name: "github",
      verify: { kind: "github", secrets: ["GITHUB_SECRET"] },
      accepts: ["application/json", "application/x-www-form-urlencoded"],
      headers: [],
      rate: 500,
      mapping: {},
      source: {
        file: "webhook.test.ts",
        line: lineOf(source, "; // github"),
        column: expect.any(Number) as number,
      },
    },
  ]);
});

test("a project without any has no list of them", () => {
  expect(load({}).definition).not.toHaveProperty("webhooks");
});

test("what is written becomes data: durations, lower-case headers, several secrets, mappings", () => {
  expect(
    definitionOf({
      verify: {
        kind: "hmac",
        secret: ["NEW", "OLD"],
        header: "X-Signature",
        timestamp: { header: "X-Time", tolerance: "1m" },
      },
      type: '"shop." + body.kind',
      subject: "body.order.id",
      headers: ["X-Request-Id"],
      rate: 5,
    }),
  ).toMatchObject({
    verify: {
      kind: "hmac",
      secrets: ["NEW", "OLD"],
      header: "x-signature",
      algorithm: "sha256",
      encoding: "hex",
      prefix: "",
      timestamp: { header: "x-time", signed: "{timestamp}.{body}", toleranceMs: 60_000 },
    },
    accepts: ["*/*"],
    headers: ["x-request-id"],
    mapping: { type: '"shop." + body.kind', subject: "body.order.id" },
    rate: 5,
  });
  expect(definitionOf({ verify: { kind: "stripe", secret: "S" } })).toMatchObject({
    verify: { kind: "stripe", secrets: ["S"], toleranceMs: 300_000 },
  });
  expect(definitionOf({ verify: { kind: "token", secret: "S", header: "X-Gitlab-Token" } })).toMatchObject({
    verify: { kind: "token", header: "x-gitlab-token" },
  });
  expect(definitionOf({ verify: { kind: "none", insecure: true } })).toMatchObject({
    verify: { kind: "none" },
  });
});

test.each<[string, unknown, string]>([
  ["no verification, which is not said to be meant", { verify: { kind: "none" } }, "insecure: true"],
  ["no verification at all", {}, '"verify"'],
  ["an unknown kind", { verify: { kind: "gitlab", secret: "S" } }, "verify.kind"],
  ["an option of another kind", { verify: { kind: "github", secret: "S", header: "x" } }, '"header"'],
  ["a secret in place of its name", { verify: { kind: "github", secret: "whsec_a/b" } }, "verify.secrets.0"],
  [
    "a time that is not signed",
    { verify: { kind: "hmac", secret: "S", header: "x", timestamp: { header: "t", signed: "{body}" } } },
    "verify.timestamp.signed",
  ],
  ["a mapping that is no CEL", { verify: { kind: "github", secret: "S" }, type: "body.(" }, "mapping.type"],
  [
    "a text that lacks its quotes",
    { verify: { kind: "github", secret: "S" }, type: "order.paid" },
    "mapping.type",
  ],
  [
    "a header with a secret",
    { verify: { kind: "token", secret: "S", header: "x-key" }, headers: ["X-Key"] },
    "headers.0",
  ],
])("refuses %s, with its place", (_name, options, part) => {
  const error = onlyErrorOf(() => webhook("wrong", options as WebhookOptions));
  expect(error.message).toContain(part);
  expect(error.message).toContain('Webhook "wrong" (');
  expect(error.source?.file).toMatch(/webhook\.test\.ts$/);
});

test("two webhooks of one name are told with both places", () => {
  const verify = { kind: "github", secret: "S" } as const;
  const error = onlyError({ a: webhook("same", { verify }), b: webhook("same", { verify }) });
  expect(error.code).toBe("MILLRACE_WEBHOOK_INVALID");
  expect(error.message.match(/webhook\.test\.ts:\d+/g)).toHaveLength(2);
});

test("a name that is no part of an address is refused at once", () => {
  expect(() => webhook("a/b", { verify: { kind: "github", secret: "S" } })).toThrow("a name has 1 to 100");
});

function onlyErrorOf(make: () => object): ReturnType<typeof onlyError> {
  return onlyError({ made: make() });
}
