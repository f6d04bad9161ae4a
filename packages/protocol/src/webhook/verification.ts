/**
 * Judges whether a delivery comes from who it says, by each kind's public specification, over the body's bytes as they came.
 *
 * V1: signatures and tokens are compared in a time that does not depend on where they differ.
 * V2: a time counts only once its signature is right, and only when it is signed.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import {
  parseEventTime,
  unreachable,
  type WebhookAlgorithm,
  type WebhookEncoding,
  type WebhookVerification,
} from "@millrace/core";

export interface Delivery {
  /** By lower-case names; what stands there several times is left out. */
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: Buffer;
}

export type Verdict = "right" | "stale" | "wrong";

export type Verified = Exclude<WebhookVerification, { kind: "none" }>;

/** The bytes to sign with; none where the secret is of no use. */
export function keyOf(kind: Verified["kind"], secret: string): Buffer | undefined {
  // The specification writes keys in base64, after a prefix that says so.
  const key =
    kind === "standard" ? Buffer.from(secret.replace(/^whsec_/, ""), "base64") : Buffer.from(secret, "utf8");
  return key.length === 0 ? undefined : key;
}

/** `now`: ms since 1970. */
export function judge(verify: Verified, keys: readonly Buffer[], delivery: Delivery, now: number): Verdict {
  const { headers, body } = delivery;
  switch (verify.kind) {
    case "standard":
      return judgeStandard(verify.toleranceMs, keys, delivery, now);
    case "github":
      return verdictOf(
        signs(keys, "sha256", [body], decoded("hex", [after("sha256=", headers["x-hub-signature-256"])])),
      );
    case "stripe":
      return judgeStripe(verify.toleranceMs, keys, delivery, now);
    case "slack": {
      const time = headers["x-slack-request-timestamp"];
      const given = decoded("hex", [after("v0=", headers["x-slack-signature"])]);
      return signedAt(signs(keys, "sha256", [`v0:${time}:`, body], given), secondsOf(time), {
        now,
        toleranceMs: verify.toleranceMs,
      });
    }
    case "hmac":
      return judgeHmac(verify, keys, delivery, now);
    case "token":
      return verdictOf(
        isToken(keys, verify.header === undefined ? bearerOf(headers) : headers[verify.header]),
      );
    default:
      return unreachable(verify);
  }
}

/** `webhook-signature` lists versions and signatures: `v1,… v1,… v1a,…`. */
function judgeStandard(
  toleranceMs: number,
  keys: readonly Buffer[],
  { headers, body }: Delivery,
  now: number,
): Verdict {
  const id = headers["webhook-id"];
  const time = headers["webhook-timestamp"];
  const list = headers["webhook-signature"];
  if (!id || time === undefined || list === undefined) return "wrong";
  const given = decoded(
    "base64",
    list.split(" ").map((part) => after("v1,", part)),
  );
  return signedAt(signs(keys, "sha256", [`${id}.${time}.`, body], given), secondsOf(time), {
    now,
    toleranceMs,
  });
}

/** `Stripe-Signature` has one time and maybe several signatures: `t=…,v1=…,v1=…,v0=…`. */
function judgeStripe(
  toleranceMs: number,
  keys: readonly Buffer[],
  { headers, body }: Delivery,
  now: number,
): Verdict {
  const parts = (headers["stripe-signature"] ?? "").split(",").map((part) => part.trim());
  const time = parts.map((part) => after("t=", part)).find((part) => part !== undefined);
  const given = decoded(
    "hex",
    parts.map((part) => after("v1=", part)),
  );
  return signedAt(signs(keys, "sha256", [`${time}.`, body], given), secondsOf(time), { now, toleranceMs });
}

function judgeHmac(
  verify: Extract<Verified, { kind: "hmac" }>,
  keys: readonly Buffer[],
  { headers, body }: Delivery,
  now: number,
): Verdict {
  const given = decoded(verify.encoding, [after(verify.prefix, headers[verify.header])]);
  const { timestamp } = verify;
  if (!timestamp) return verdictOf(signs(keys, verify.algorithm, [body], given));
  const time = headers[timestamp.header];
  const [before = "", behind = ""] = timestamp.signed
    .split("{body}")
    .map((part) => part.replace("{timestamp}", () => time ?? ""));
  const isSigned = signs(keys, verify.algorithm, [before, body, behind], given);
  return signedAt(isSigned, timeOf(time), { now, toleranceMs: timestamp.toleranceMs });
}

function verdictOf(isRight: boolean): Verdict {
  return isRight ? "right" : "wrong";
}

function signedAt(
  isSigned: boolean,
  time: number | undefined,
  { now, toleranceMs }: { readonly now: number; readonly toleranceMs: number },
): Verdict {
  if (!isSigned || time === undefined) return "wrong";
  return Math.abs(now - time) <= toleranceMs ? "right" : "stale";
}

/** Whether one of `given` is the signature of the joined `parts` by one of `keys`; all are compared. */
function signs(
  keys: readonly Buffer[],
  algorithm: WebhookAlgorithm,
  parts: readonly (string | Buffer)[],
  given: readonly Buffer[],
): boolean {
  let isFound = false;
  for (const key of keys) {
    const hmac = createHmac(algorithm, key);
    for (const part of parts) hmac.update(part);
    const wanted = hmac.digest();
    for (const signature of given)
      if (signature.length === wanted.length && timingSafeEqual(signature, wanted)) isFound = true;
  }
  return isFound;
}

/** Digests are compared, so that the length does not show either. */
function isToken(keys: readonly Buffer[], given: string | undefined): boolean {
  const wanted = digest(Buffer.from(given ?? "", "utf8"));
  let isFound = false;
  for (const key of keys) if (timingSafeEqual(digest(key), wanted)) isFound = true;
  return isFound && given !== undefined;
}

function digest(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function bearerOf(headers: Delivery["headers"]): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers["authorization"] ?? "")?.[1];
}

function after(prefix: string, text: string | undefined): string | undefined {
  return text?.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

const encoded = { hex: /^(?:[0-9a-f]{2})+$/i, base64: /^[A-Za-z0-9+/_-]+={0,2}$/ } as const;

/** What is no such text is no signature: Node would read it up to where it goes wrong. */
function decoded(encoding: WebhookEncoding, texts: readonly (string | undefined)[]): Buffer[] {
  return texts.flatMap((text) =>
    text !== undefined && encoded[encoding].test(text) ? [Buffer.from(text, encoding)] : [],
  );
}

function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,11}$/.test(text) ? Number(text) * 1_000 : undefined;
}

/** Seconds or ms since 1970, or RFC 3339. */
function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return secondsOf(text) ?? (/^\d{12,15}$/.test(text) ? Number(text) : parseEventTime(text));
}
