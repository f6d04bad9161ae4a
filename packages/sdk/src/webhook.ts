/** Webhooks: addresses of the server at which other systems deliver events. */
import {
  parseWebhook,
  webhookAccepts,
  webhookKinds,
  webhookMappingNames,
  webhookRate,
  webhookToleranceMs,
  type Duration,
  type WebhookAlgorithm,
  type WebhookDefinition,
  type WebhookEncoding,
  type WebhookKind,
} from "@millrace/core";
import { definitionBrand } from "./definition.ts";
import { judged } from "./judged.ts";
import { checkName } from "./name.ts";
import {
  checkOptionNames,
  choiceOption,
  integerOption,
  optionError,
  parsePositiveDuration,
  textListOption,
  textOption,
  type OptionOwner,
} from "./options.ts";
import { locate, markCaller, type SourceMark } from "./source.ts";

/** The name of an environment variable of the server, or of several: while a secret is replaced, both may sign. */
export type WebhookSecret = string | readonly string[];

/** How deliveries show that they come from who they say. */
export type WebhookVerify =
  /** [Standard Webhooks](https://www.standardwebhooks.com), of many senders. */
  | { readonly kind: "standard"; readonly secret: WebhookSecret; readonly tolerance?: Duration }
  | { readonly kind: "github"; readonly secret: WebhookSecret }
  | { readonly kind: "stripe"; readonly secret: WebhookSecret; readonly tolerance?: Duration }
  | { readonly kind: "slack"; readonly secret: WebhookSecret; readonly tolerance?: Duration }
  | WebhookHmac
  /** A secret that stands in a header as it is; without `header` as a bearer token. */
  | { readonly kind: "token"; readonly secret: WebhookSecret; readonly header?: string }
  /** Everybody who reaches the address can deliver. */
  | { readonly kind: "none"; readonly insecure: true };

/** A signature by any other sender: an HMAC of the body. */
export interface WebhookHmac {
  readonly kind: "hmac";
  readonly secret: WebhookSecret;
  /** The header that holds the signature. */
  readonly header: string;
  /** `sha256` unless given. */
  readonly algorithm?: WebhookAlgorithm;
  /** `hex` unless given. */
  readonly encoding?: WebhookEncoding;
  /** What stands before the signature in its header, such as `sha256=`. */
  readonly prefix?: string;
  /** For senders that sign a time, in seconds or ms since 1970 or as RFC 3339 has it. */
  readonly timestamp?: {
    readonly header: string;
    /** The text that is signed; `{timestamp}.{body}` unless given. */
    readonly signed?: string;
    /** 5 minutes unless given. */
    readonly tolerance?: Duration;
  };
}

/** What a webhook's deliveries become. `type`, `subject`, `time` and `id` are CEL over `body` and `headers`. */
export interface WebhookOptions {
  readonly verify: WebhookVerify;
  /** The event's type; a text that is always the same stands in quotes: `'"order.paid"'`. */
  readonly type?: string;
  readonly subject?: string;
  /** When it happened: a time, a text as RFC 3339 has it, or seconds since 1970. */
  readonly time?: string;
  /** The delivery's own name, for senders whose kind tells none: a repeat with the same one is recorded once. */
  readonly id?: string;
  /** Headers that the event keeps as extension attributes: `x-request-id` becomes `xrequestid`. */
  readonly headers?: readonly string[];
  /** Media types of bodies; all others are refused. */
  readonly accepts?: readonly string[];
  /** Deliveries in a second; what is beyond is answered 429. 500 unless given. */
  readonly rate?: number;
}

/** A webhook. Exported from an included file it is deployed, and its address is `/hooks/NAME`. */
export interface Webhook {
  readonly name: string;
}

/** What the loader reads from a webhook, under `definitionBrand`. */
export interface WebhookHandle {
  readonly kind: "webhook";
  readonly name: string;
  readonly mark: SourceMark;
  describe(options: {
    readonly captureSource: boolean;
    readonly root: string | undefined;
  }): WebhookDefinition;
}

const optionNames = ["verify", ...webhookMappingNames, "headers", "accepts", "rate"];

/**
 * Declares an address of the server, `/hooks/NAME`, at which another system delivers events. Only what is signed with one
 * of the secrets is taken.
 *
 * @example
 * export const github = webhook("github", { verify: { kind: "github", secret: "GITHUB_SECRET" } });
 */
export function webhook(name: string, options: WebhookOptions): Webhook {
  const mark = markCaller(webhook);
  const what = `Webhook ${JSON.stringify(name)}`;
  checkName(name, { what, mark, root: undefined });
  checkOptionNames(options, optionNames, { what, mark, root: undefined });
  const handle: WebhookHandle = {
    kind: "webhook",
    name,
    mark,
    describe: ({ captureSource, root }) => {
      const owner: OptionOwner = { what, mark, root };
      const source = captureSource ? locate(mark, root) : undefined;
      const definition = definitionOf(name, options, owner);
      return judged(parseWebhook, { ...definition, ...(source ? { source } : {}) }, owner);
    },
  };
  const made = { name, [definitionBrand]: handle };
  return made;
}

function definitionOf(name: string, options: WebhookOptions, owner: OptionOwner): WebhookDefinition {
  const verify = verificationOf(options.verify, owner);
  const { headers, accepts, rate } = options;
  const mapping: { [part: string]: string } = {};
  for (const part of webhookMappingNames) {
    const text = options[part];
    if (text !== undefined) mapping[part] = textOption(text, part, owner);
  }
  return {
    name,
    verify,
    accepts:
      accepts === undefined
        ? webhookAccepts(verify.kind)
        : textListOption(accepts, "accepts", owner).map(lower),
    headers: headers === undefined ? [] : textListOption(headers, "headers", owner).map(lower),
    rate: rate === undefined ? webhookRate : integerOption(rate, "rate", owner),
    mapping,
  };
}

const verifyNames: { readonly [kind in WebhookKind]: readonly string[] } = {
  standard: ["kind", "secret", "tolerance"],
  github: ["kind", "secret"],
  stripe: ["kind", "secret", "tolerance"],
  slack: ["kind", "secret", "tolerance"],
  hmac: ["kind", "secret", "header", "algorithm", "encoding", "prefix", "timestamp"],
  token: ["kind", "secret", "header"],
  none: ["kind", "insecure"],
};

function verificationOf(verify: WebhookVerify, owner: OptionOwner): WebhookDefinition["verify"] {
  if (verify === null || typeof verify !== "object")
    throw optionError(owner, 'option "verify" must be an object');
  const kind = choiceOption(verify.kind, "verify.kind", owner, webhookKinds);
  checkOptionNames(verify, verifyNames[kind], owner, "verify");
  switch (verify.kind) {
    case "standard":
    case "stripe":
    case "slack":
      return {
        kind: verify.kind,
        secrets: secretsOf(verify.secret, owner),
        toleranceMs: toleranceOf(verify.tolerance, "verify.tolerance", owner),
      };
    case "github":
      return { kind: "github", secrets: secretsOf(verify.secret, owner) };
    case "hmac":
      return hmacOf(verify, owner);
    case "token":
      return {
        kind: "token",
        secrets: secretsOf(verify.secret, owner),
        ...(verify.header === undefined
          ? {}
          : { header: lower(textOption(verify.header, "verify.header", owner)) }),
      };
    default:
      if ((verify.insecure as unknown) === true) return { kind: "none" };
      throw optionError(
        owner,
        'without verification everybody who reaches the address can deliver; say so with "insecure: true"',
      );
  }
}

function hmacOf(verify: WebhookHmac, owner: OptionOwner): WebhookDefinition["verify"] {
  const { algorithm = "sha256", encoding = "hex", prefix = "", timestamp } = verify;
  if (timestamp !== undefined)
    checkOptionNames(timestamp, ["header", "signed", "tolerance"], owner, "verify.timestamp");
  return {
    kind: "hmac",
    secrets: secretsOf(verify.secret, owner),
    header: lower(textOption(verify.header, "verify.header", owner)),
    algorithm,
    encoding,
    prefix,
    ...(timestamp === undefined
      ? {}
      : {
          timestamp: {
            header: lower(textOption(timestamp.header, "verify.timestamp.header", owner)),
            signed: timestamp.signed ?? "{timestamp}.{body}",
            toleranceMs: toleranceOf(timestamp.tolerance, "verify.timestamp.tolerance", owner),
          },
        }),
  };
}

function secretsOf(secret: unknown, owner: OptionOwner): readonly string[] {
  return typeof secret === "string" ? [secret] : textListOption(secret, "verify.secret", owner);
}

function toleranceOf(tolerance: Duration | undefined, name: string, owner: OptionOwner): number {
  return tolerance === undefined ? webhookToleranceMs : parsePositiveDuration(tolerance, name, owner);
}

function lower(text: string): string {
  return text.toLowerCase();
}
