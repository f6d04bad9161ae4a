import { every } from "./pause.ts";

const lookMs = 1_000;

/**
 * An older Node brings the command to a newer one and waits for it. When that wrapper is killed we learn it only from
 * our parent's change; then `onGone` is called once. Returns how to stop looking.
 */
export function wrapperGone(onGone: () => void): () => void {
  if (process.env["MILLRACE_NODE_FOUND"] === undefined) return () => undefined;
  const parent = process.ppid;
  const stop = every(lookMs, () => {
    if (process.ppid === parent) return;
    stop();
    onGone();
  });
  return stop;
}
