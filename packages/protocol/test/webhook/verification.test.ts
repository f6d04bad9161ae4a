/** Each kind by the example that its own documentation gives, where it gives one. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { judge, keyOf, type Delivery, type Verified, type Verdict } from "../../src/webhook/verification.ts";

const minute = 60_000;

interface Case {
  readonly verify: Verified;
  readonly secret: string | readonly string[];
  readonly headers: Delivery["headers"];
  readonly body: string;
  /** ms since 1970. */
  readonly now?: number;
}

function verdict({ verify, secret, headers, body, now = 0 }: Case): Verdict {
  const keys = [secret].flat().map((text) => keyOf(verify.kind, text)!);
  return judge(verify, keys, { headers, body: Buffer.from(body) }, now);
}

/** https://github.com/standard-webhooks/standard-webhooks: the libraries' own test. */
const standard: Case = {
  verify: { kind: "standard", secrets: ["S"], toleranceMs: 5 * minute },
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  headers: {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
  body: '{"test": 2432232314}',
  now: 1_614_265_330_000,
};

/** https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
const github: Case = {
  verify: { kind: "github", secrets: ["S"] },
  secret: "It's a Secret to Everybody",
  headers: {
    "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
  },
  body: "Hello, World!",
};

/** https://docs.slack.dev/authentication/verifying-requests-from-slack */
const slack: Case = {
  verify: { kind: "slack", secrets: ["S"], toleranceMs: 5 * minute },
  secret: "8f742231b10e8888abcd99yyyzzz85a5",
  headers: {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
  },
  body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
  now: 1_531_420_618_000,
};

/** Stripe's documentation describes the scheme and has no example with a known secret: this is the scheme by hand. */
const stripeBody = '{"id":"evt_1","type":"charge.succeeded"}';
const stripe: Case = {
  verify: { kind: "stripe", secrets: ["S"], toleranceMs: 5 * minute },
  secret: "whsec_test_secret",
  headers: {
    "stripe-signature": `t=1492774577,v1=${createHmac("sha256", "whsec_test_secret").update(`1492774577.${stripeBody}`).digest("hex")},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39`,
  },
  body: stripeBody,
  now: 1_492_774_577_000,
};

function hmac(parts: Partial<Extract<Verified, { kind: "hmac" }>>): Verified {
  const base = { algorithm: "sha256", encoding: "hex", prefix: "", header: "x-signature" } as const;
  return { kind: "hmac", secrets: ["S"], ...base, ...parts };
}

/** RFC 2202 and RFC 4231, test case 2. */
const rfc = { secret: "Jefe", body: "what do ya want for nothing?" };
const rfcDigests = {
  sha1: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
  sha256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  sha512:
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
};

const token: Case = {
  verify: { kind: "token", secrets: ["S"], header: "x-gitlab-token" },
  secret: "long and secret",
  headers: { "x-gitlab-token": "long and secret" },
  body: "{}",
};

const cases: readonly (readonly [string, Case])[] = [
  ["Standard Webhooks", standard],
  ["GitHub", github],
  ["Slack", slack],
  ["Stripe", stripe],
  [
    "an HMAC in hex with a prefix",
    {
      ...rfc,
      verify: hmac({ prefix: "sha256=" }),
      headers: { "x-signature": `sha256=${rfcDigests.sha256}` },
    },
  ],
  [
    "an HMAC by SHA-1",
    { ...rfc, verify: hmac({ algorithm: "sha1" }), headers: { "x-signature": rfcDigests.sha1 } },
  ],
  [
    "an HMAC by SHA-512 in base64",
    {
      ...rfc,
      verify: hmac({ algorithm: "sha512", encoding: "base64" }),
      headers: { "x-signature": Buffer.from(rfcDigests.sha512, "hex").toString("base64") },
    },
  ],
  ["a token in a header", token],
  [
    "a bearer token",
    {
      ...token,
      verify: { kind: "token", secrets: ["S"] },
      secret: "t0k",
      headers: { authorization: "Bearer t0k" },
    },
  ],
];

describe.each(cases)("%s", (_name, right) => {
  test("takes what is signed as its specification says", () => {
    expect(verdict(right)).toBe("right");
  });

  test("takes what any of several secrets signed, in either order", () => {
    const { secret } = right;
    const old = right.verify.kind === "standard" ? "whsec_AAAA" : "the old one";
    expect(verdict({ ...right, secret: [old, secret].flat() })).toBe("right");
    expect(verdict({ ...right, secret: [secret, old].flat() })).toBe("right");
    expect(verdict({ ...right, secret: old })).toBe("wrong");
  });

  test("refuses what has no signature, half of one, or another one", () => {
    expect(verdict({ ...right, headers: {} })).toBe("wrong");
    for (const [name, text] of Object.entries(right.headers)) {
      if (/timestamp/.test(name)) continue;
      for (const other of ["", text!.slice(0, -9), `${text!.slice(0, -8)}00000000`, "=", "v1,"]) {
        const headers = { ...right.headers, [name]: other };
        // Stripe's last part is of another version, which does not count.
        if (name === "stripe-signature" && other.includes("v0=")) continue;
        expect([other, verdict({ ...right, headers })]).toEqual([other, "wrong"]);
      }
    }
  });
});

test.each(cases.filter(([, { verify }]) => verify.kind !== "token"))(
  "%s: another body is refused",
  (_name, right) => {
    expect(verdict({ ...right, body: `${right.body} ` })).toBe("wrong");
    expect(verdict({ ...right, body: "" })).toBe("wrong");
  },
);

describe.each([
  ["Standard Webhooks", standard, "webhook-timestamp"],
  ["Slack", slack, "x-slack-request-timestamp"],
  ["Stripe", stripe, undefined],
])("%s", (_name, right, header) => {
  test("is stale five minutes later or earlier, by the server's clock", () => {
    const at = right.now!;
    expect(verdict({ ...right, now: at + 5 * minute })).toBe("right");
    expect(verdict({ ...right, now: at + 5 * minute + 1 })).toBe("stale");
    expect(verdict({ ...right, now: at - 5 * minute })).toBe("right");
    expect(verdict({ ...right, now: at - 5 * minute - 1 })).toBe("stale");
  });

  test("does not take a new time with the old signature", () => {
    const headers = Object.fromEntries(
      Object.entries(right.headers).map(([name, text]) => [
        name,
        name === header ? "1700000000" : text!.replace("t=1492774577", "t=1700000000"),
      ]),
    );
    expect(verdict({ ...right, headers, now: 1_700_000_000_000 })).toBe("wrong");
  });
});

test.each(cases.filter(([, { verify }]) => verify.kind !== "token"))(
  "%s: a signature with something behind it is none",
  (_name, right) => {
    for (const [name, text] of Object.entries(right.headers)) {
      if (!name.includes("signature")) continue;
      // Stripe's last part is of another version.
      const longer = text!.includes(",v0=") ? text!.replace(",v0=", "zz,v0=") : `${text!}~~`;
      expect(verdict({ ...right, headers: { ...right.headers, [name]: longer } })).toBe("wrong");
    }
  },
);

test("Standard Webhooks: one of several signatures is enough, and those of other versions don't count", () => {
  const list = standard.headers["webhook-signature"]!;
  const verdictOn = (text: string): Verdict =>
    verdict({ ...standard, headers: { ...standard.headers, "webhook-signature": text } });
  expect(verdictOn(`v1,AAAA v1a,AAAA ${list}`)).toBe("right");
  expect(verdictOn(list.replace("v1,", "v2,"))).toBe("wrong");
  expect(verdictOn(list.replace("v1,", ""))).toBe("wrong");
});

test("Standard Webhooks: another id with the old signature is refused", () => {
  expect(verdict({ ...standard, headers: { ...standard.headers, "webhook-id": "msg_2" } })).toBe("wrong");
});

test.each([
  ["seconds", "1700000000"],
  ["milliseconds", "1700000000000"],
  ["RFC 3339", "2023-11-14T22:13:20Z"],
])("an HMAC with a time in %s is stale when it is old", (_name, time) => {
  const timestamp = { header: "x-time", signed: "v0:{timestamp}:{body}", toleranceMs: minute };
  const signature = createHmac("sha256", "k").update(`v0:${time}:{}`).digest("hex");
  const right: Case = {
    verify: hmac({ timestamp }),
    secret: "k",
    headers: { "x-signature": signature, "x-time": time },
    body: "{}",
    now: 1_700_000_000_000,
  };
  expect(verdict(right)).toBe("right");
  expect(verdict({ ...right, now: right.now! + minute + 1 })).toBe("stale");
  expect(verdict({ ...right, headers: { "x-signature": signature } })).toBe("wrong");
});

test("a secret that is empty, or no base64 where it must be, is of no use", () => {
  expect(keyOf("github", "")).toBeUndefined();
  expect(keyOf("standard", "whsec_")).toBeUndefined();
  expect(keyOf("standard", "whsec_!!")).toBeUndefined();
});
