/** Times and durations as text: people read `1m 12s` and `3 min ago`. */
import { wallClock, zoneName } from "./zone.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** `840 ms`, `12.3s`, `1m 12s`, `3h 05m`, `2d 4h`. */
export function durationText(ms: number): string {
  if (ms < second) return `${Math.max(0, Math.round(ms))} ms`;
  // Rounded first: 59.97 s is a minute.
  if (ms < minute - 50) return `${(ms / second).toFixed(ms < 10 * second ? 1 : 0)}s`;
  const seconds = Math.round(ms / second);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  const minutes = Math.round(ms / minute);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  const hours = Math.round(ms / hour);
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `just now`, `12 s ago`, `in 3 min`, `5 h ago`, `2 d ago`. */
export function relativeText(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < 2 * second) return "just now";
  const text =
    distance < minute
      ? `${Math.floor(distance / second)} s`
      : distance < hour
        ? `${Math.floor(distance / minute)} min`
        : distance < 2 * day
          ? `${Math.floor(distance / hour)} h`
          : `${Math.floor(distance / day)} d`;
  return at <= now ? `${text} ago` : `in ${text}`;
}

/** In the chosen zone: `14:02:11` today, else with the day. */
export function clockText(at: number, now: number): string {
  const [day, time] = wallText(at);
  return day === wallText(now)[0] ? time : `${day} ${time}`;
}

/** For a hover: in the chosen zone with its name, and in UTC. */
export function exactText(at: number): string {
  const [day, time] = wallText(at);
  const instant = new Date(at).toISOString();
  return `${day} ${time}${instant.slice(-5, -1)} ${zoneName()}\n${instant}`;
}

/** `2026-11-27` and `14:02:11`, as the chosen zone's clocks show them. */
function wallText(at: number): readonly [day: string, time: string] {
  const text = wallClock(at).toISOString();
  return [text.slice(0, 10), text.slice(11, 19)];
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
