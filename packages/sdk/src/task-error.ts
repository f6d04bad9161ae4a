/**
 * Errors by which a task says what happens next. They are recognised by a registered symbol, so that an error made by
 * another copy of this module (a bundle holds its own) counts as well.
 */
import { MillraceError, parseDuration, type Duration } from "@millrace/core";

const nextSymbol: unique symbol = Symbol.for("millrace.next");

/** What a thrown error asks for. */
export type NextRequest =
  | { readonly kind: "fatal" }
  | { readonly kind: "retry_after"; readonly delayMs: number }
  | { readonly kind: "skip"; readonly reason: string };

/**
 * Fails the task run at once: no retry is made, whatever the policy.
 *
 * @example throw new Fatal("the account is closed");
 */
export class Fatal extends Error {
  override readonly name = "Fatal";
  readonly [nextSymbol]: NextRequest = { kind: "fatal" };
}

/**
 * Fails the attempt and asks for the next one after `delay` (ms or text such as `"30s"`). The retry policy still
 * bounds the number of attempts.
 *
 * @example throw new RetryAfter("2m", "the service asks to come back later");
 */
export class RetryAfter extends Error {
  override readonly name = "RetryAfter";
  readonly [nextSymbol]: NextRequest;

  constructor(delay: Duration, message = "retry later", options?: ErrorOptions) {
    super(message, options);
    const delayMs = parseDuration(delay);
    if (delayMs === undefined) {
      throw new MillraceError("MILLRACE_OPTION_INVALID", {
        message: `RetryAfter needs a duration such as "30s", found ${String(delay)}.`,
        cause: this,
      });
    }
    this[nextSymbol] = { kind: "retry_after", delayMs };
  }
}

/**
 * Ends the task run as skipped; what hangs on it follows its trigger rules.
 *
 * @example throw new Skip("no new files");
 */
export class Skip extends Error {
  override readonly name = "Skip";
  readonly [nextSymbol]: NextRequest;

  constructor(reason = "skipped by the task") {
    super(reason);
    this[nextSymbol] = { kind: "skip", reason };
  }
}

/** What a thrown value asks for, whichever copy of this module made it. */
export function nextRequestOf(thrown: unknown): NextRequest | undefined {
  if (thrown === null || typeof thrown !== "object") return undefined;
  return (thrown as { readonly [nextSymbol]?: NextRequest })[nextSymbol];
}
