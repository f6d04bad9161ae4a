/** What the outcome of a look's attempt says of the thing. */
import type { AttemptError, Json, LookOutcome } from "@millrace/core";
import type { AttemptOutcome, CarriedValue } from "@millrace/protocol";

export function outcomeOfLook(outcome: AttemptOutcome): LookOutcome | { readonly kind: "lost" } {
  switch (outcome.kind) {
    case "succeeded":
      return found(outcome.output);
    case "failed":
    case "infrastructure":
      return { kind: "failed", error: faultOf(outcome.error) };
    case "suspended":
      return failed("A probe looks and returns; it can't wait.");
    case "skipped":
      return failed("A probe can't skip: where there is nothing, return null.");
    default:
      return { kind: "lost" };
  }
}

function found(output: CarriedValue): LookOutcome {
  if (!("value" in output)) {
    const message =
      "What a probe finds must be at most 16 KiB of JSON. Return a fingerprint, or the address of the rest.";
    return failed(message, "MILLRACE_OUTPUT_TOO_LARGE");
  }
  const { value, fingerprint } = (output.value ?? {}) as {
    readonly value?: Json;
    readonly fingerprint?: Json;
  };
  if (value === undefined) return failed("The worker's answer holds nothing that was found.");
  return { kind: "seen", value, ...(typeof fingerprint === "string" ? { fingerprint } : {}) };
}

function failed(message: string, code = "MILLRACE_PROBE_FAILED"): LookOutcome {
  return { kind: "failed", error: { code, message } };
}

function faultOf({ code, name, message }: AttemptError): { readonly code: string; readonly message: string } {
  const text = name === code ? message : `${name}: ${message}`;
  return { code: code ?? "MILLRACE_PROBE_FAILED", message: text.slice(0, faultCharactersMax) };
}

const faultCharactersMax = 2_000;
