/**
 * Webhooks: addresses at which other systems deliver events. A definition names its secrets, which are environment
 * variables of the server, and never holds one.
 */
import { compileMapping } from "../condition/where/mapping.ts";
import { MillraceError } from "../error/millrace-error.ts";
import type { SourceLocation } from "../graph/definition.ts";
import type { Json, Path } from "../json.ts";
import {
  eventExtensionNameMax,
  eventExtensionsMax,
  webhookRateMax,
  webhookSecretsMax,
  webhookTextMax,
  webhookToleranceMsMax,
} from "../limits.ts";

export const webhookAlgorithms = ["sha256", "sha1", "sha512"] as const;
export type WebhookAlgorithm = (typeof webhookAlgorithms)[number];
export const webhookEncodings = ["hex", "base64"] as const;
export type WebhookEncoding = (typeof webhookEncodings)[number];

/** Names of environment variables; any of their values may have signed. */
interface WithSecrets {
  readonly secrets: readonly string[];
}

/** Where a sender signs the time, how far that may be from the server's own. */
interface WithTolerance {
  readonly toleranceMs: number;
}

/** How a delivery shows that it comes from who it says. */
export type WebhookVerification =
  | ({ readonly kind: "standard" } & WithSecrets & WithTolerance)
  | ({ readonly kind: "github" } & WithSecrets)
  | ({ readonly kind: "stripe" } & WithSecrets & WithTolerance)
  | ({ readonly kind: "slack" } & WithSecrets & WithTolerance)
  | ({
      readonly kind: "hmac";
      /** Which header has the signature; in lower case. */
      readonly header: string;
      readonly algorithm: WebhookAlgorithm;
      readonly encoding: WebhookEncoding;
      /** What stands before the signature in the header. */
      readonly prefix: string;
      /** The time that is signed, and in which text with the body: `{timestamp}.{body}`. */
      readonly timestamp?: { readonly header: string; readonly signed: string } & WithTolerance;
    } & WithSecrets)
  /** Without a header the token is a bearer token. */
  | ({ readonly kind: "token"; readonly header?: string } & WithSecrets)
  | { readonly kind: "none" };

export type WebhookKind = WebhookVerification["kind"];

export const webhookKinds = ["standard", "github", "stripe", "slack", "hmac", "token", "none"] as const;

/** What CEL over `body` and `headers` gives in place of what the kind gives. */
export interface WebhookMapping {
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string;
  readonly id?: string;
}

export const webhookMappingNames = ["type", "subject", "time", "id"] as const;

export interface WebhookDefinition {
  /** Its address is `/hooks/NAME`. */
  readonly name: string;
  readonly verify: WebhookVerification;
  /** Media types that bodies may have; `anyMediaType` stands for all. */
  readonly accepts: readonly string[];
  /** Headers, in lower case, that the event keeps as extension attributes. */
  readonly headers: readonly string[];
  /** Deliveries in a second, over some seconds. */
  readonly rate: number;
  readonly mapping: WebhookMapping;
  readonly source?: SourceLocation;
}

const jsonType = "application/json";
const formType = "application/x-www-form-urlencoded";
export const anyMediaType = "*/*";

export const webhookToleranceMs = 5 * 60_000;
export const webhookRate = 500;

/** What a kind's senders send. */
export function webhookAccepts(kind: WebhookKind): readonly string[] {
  switch (kind) {
    case "standard":
    case "stripe":
      return [jsonType];
    case "github":
    case "slack":
      return [jsonType, formType];
    default:
      return [anyMediaType];
  }
}

/** Headers that are secrets or carry some: neither the log nor a mapping sees them. */
const secretHeaders: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie"]);

export function isSecretHeader(header: string, verify: WebhookVerification): boolean {
  return secretHeaders.has(header) || (verify.kind === "token" && verify.header === header);
}

/** Members of a CloudEvent that are no extension attributes. */
const eventMembers: ReadonlySet<string> = new Set(
  "specversion id source type subject time data datacontenttype dataschema".split(" "),
);

/** The extension attribute that a header becomes: those have lower-case letters and digits alone. */
export function extensionOfHeader(header: string): string {
  return header.replaceAll(/[^a-z0-9]/g, "").slice(0, eventExtensionNameMax);
}

/** Reads a definition; throws MILLRACE_WEBHOOK_INVALID, and what `compileMapping` throws. */
export function parseWebhook(value: Json): WebhookDefinition {
  const given = new Members(value, []);
  const name = given.text("name", /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/, "a name for the address");
  const verify = parseVerification(given.inner("verify"));
  const accepts = given.texts("accepts", /^(\*\/\*|[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)$/, "a media type");
  const headers = given.texts("headers", headerPattern, "a header's name in lower case", eventExtensionsMax);
  const attributes = new Set<string>();
  for (const [at, header] of headers.entries()) {
    const attribute = extensionOfHeader(header);
    if (isSecretHeader(header, verify)) throw invalid(["headers", at], `no header with a secret: ${header}`);
    if (attribute === "" || eventMembers.has(attribute) || attributes.has(attribute))
      throw invalid(["headers", at], `a header whose letters and digits name an attribute of their own`);
    attributes.add(attribute);
  }
  const mapping = given.inner("mapping");
  mapping.only(webhookMappingNames);
  for (const part of webhookMappingNames) {
    const text = mapping.optionalText(part);
    if (text !== undefined) compileMapping(text, ["body", "headers"], ["mapping", part]);
  }
  given.only(["name", "verify", "accepts", "headers", "rate", "mapping", "source"]);
  return {
    name,
    verify,
    accepts,
    headers,
    rate: given.number("rate", 1, webhookRateMax),
    mapping: mapping.value,
    ...(given.value["source"] === undefined
      ? {}
      : { source: given.value["source"] as unknown as SourceLocation }),
  };
}

const headerPattern = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const variablePattern = /^[A-Za-z_][A-Za-z0-9_]{0,199}$/;

function parseVerification(given: Members): WebhookVerification {
  const kind = given.oneOf("kind", webhookKinds);
  if (kind === "none") {
    given.only(["kind"]);
    return { kind };
  }
  const secrets = given.texts(
    "secrets",
    variablePattern,
    "the name of an environment variable",
    webhookSecretsMax,
  );
  if (secrets.length === 0)
    throw invalid([...given.path, "secrets"], "the name of an environment variable at least");
  switch (kind) {
    case "standard":
    case "stripe":
    case "slack":
      given.only(["kind", "secrets", "toleranceMs"]);
      return { kind, secrets, toleranceMs: given.number("toleranceMs", 1, webhookToleranceMsMax) };
    case "github":
      given.only(["kind", "secrets"]);
      return { kind, secrets };
    case "token": {
      given.only(["kind", "secrets", "header"]);
      if (given.value["header"] === undefined) return { kind, secrets };
      return { kind, secrets, header: given.text("header", headerPattern, "a header's name in lower case") };
    }
    default:
      return { kind, secrets, ...parseHmac(given) };
  }
}

type Hmac = Extract<WebhookVerification, { kind: "hmac" }>;

function parseHmac(given: Members): Omit<Hmac, "kind" | "secrets"> {
  given.only(["kind", "secrets", "header", "algorithm", "encoding", "prefix", "timestamp"]);
  const parts = {
    header: given.text("header", headerPattern, "a header's name in lower case"),
    algorithm: given.oneOf("algorithm", webhookAlgorithms),
    encoding: given.oneOf("encoding", webhookEncodings),
    prefix: given.text("prefix", /^[\x20-\x7e]{0,100}$/, "a text of ASCII characters"),
  };
  if (given.value["timestamp"] === undefined) return parts;
  const timestamp = given.inner("timestamp");
  timestamp.only(["header", "signed", "toleranceMs"]);
  const signed = timestamp.text("signed", /^[\x20-\x7e]{1,200}$/, "a text of ASCII characters");
  // A time that is not signed can be written anew by whoever repeats the delivery.
  if (signed.split("{body}").length !== 2 || signed.split("{timestamp}").length !== 2)
    throw invalid([...timestamp.path, "signed"], "a text that has {timestamp} and {body} once each");
  return {
    ...parts,
    timestamp: {
      header: timestamp.text("header", headerPattern, "a header's name in lower case"),
      signed,
      toleranceMs: timestamp.number("toleranceMs", 1, webhookToleranceMsMax),
    },
  };
}

/** Reads members of one object, and tells what is wrong by its path. */
class Members {
  readonly value: { readonly [name: string]: Json };
  readonly path: Path;

  constructor(value: Json | undefined, path: Path) {
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw invalid(path, "an object");
    this.value = value as { readonly [name: string]: Json };
    this.path = path;
  }

  inner(name: string): Members {
    return new Members(this.value[name], [...this.path, name]);
  }

  only(names: readonly string[]): void {
    const other = Object.keys(this.value).find((name) => !names.includes(name));
    if (other !== undefined)
      throw invalid([...this.path, other.slice(0, 100)], `only ${names.join(", ")} here`);
  }

  text(name: string, pattern: RegExp, expected: string): string {
    return checkText(this.value[name], pattern, { path: [...this.path, name], expected });
  }

  optionalText(name: string): string | undefined {
    if (this.value[name] === undefined) return undefined;
    return this.text(name, /^[^]+$/, "an expression in CEL");
  }

  texts(name: string, pattern: RegExp, expected: string, countMax = webhookTextMax): readonly string[] {
    const list = this.value[name];
    const path = [...this.path, name];
    if (!Array.isArray(list) || list.length > countMax)
      throw invalid(path, `a list of at most ${countMax} texts`);
    return (list as readonly Json[]).map((text, at) =>
      checkText(text, pattern, { path: [...path, at], expected }),
    );
  }

  number(name: string, min: number, max: number): number {
    const value = this.value[name];
    if (typeof value === "number" && value >= min && value <= max) return value;
    throw invalid([...this.path, name], `a number from ${min} to ${max}`);
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const found = choices.find((choice) => choice === this.value[name]);
    if (found !== undefined) return found;
    throw invalid([...this.path, name], `one of ${choices.join(", ")}`);
  }
}

function checkText(
  value: Json | undefined,
  pattern: RegExp,
  { path, expected }: { readonly path: Path; readonly expected: string },
): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw invalid(path, expected);
}

function invalid(path: Path, expected: string): MillraceError {
  const where = path.join(".");
  return new MillraceError("MILLRACE_WEBHOOK_INVALID", {
    message: `A webhook is not valid${where === "" ? "" : ` at \`${where}\``}: expected ${expected}.`,
    fields: { path: where, expected },
  });
}
