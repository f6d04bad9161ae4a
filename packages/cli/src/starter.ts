/** Who started this process: when that is killed, nobody is left to stop it. */
import { every } from "./pause.ts";

const lookMs = 1_000;

/**
 * Calls `onGone` once whoever started this process is gone: a program that gave it a channel, or the wrapper by which an older
 * Node brings the command to a newer one, whose death we learn only from our parent's change. A shell may go without us.
 * Returns how to stop looking.
 */
export function starterGone(onGone: () => void): () => void {
  const stopListening = channelClosed(onGone);
  if (process.env["MILLRACE_NODE_FOUND"] === undefined) return stopListening;
  const parent = process.ppid;
  const stopLooking = every(lookMs, () => {
    if (process.ppid === parent) return;
    stopLooking();
    onGone();
  });
  return () => {
    stopListening();
    stopLooking();
  };
}

function channelClosed(onClosed: () => void): () => void {
  if (!process.connected) return () => undefined;
  process.once("disconnect", onClosed);
  // It is listened to, and keeps nothing running.
  process.channel?.unref();
  return () => process.off("disconnect", onClosed);
}
