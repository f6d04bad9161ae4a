/** Ids of runs: time-ordered text, short enough to read out. */

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
/** 2025-01-01T00:00:00Z: makes nine digits of base 32 last for a millennium. */
const epoch = 1_735_689_600_000;
const timeDigits = 9;
const randomDigits = 7;

/** `r`, nine digits of milliseconds, seven random ones. Ids of one node rise; others' collide with odds of 1 in 34e9. */
export function newRunId(now: number, random: () => number): string {
  let text = firstRunId(now);
  for (let digit = 0; digit < randomDigits; digit += 1) text += alphabet[Math.floor(random() * 32)]!;
  return text;
}

/** Sorts before the ids of all runs that are made at this instant or later, and after all others. */
export function firstRunId(now: number): string {
  let time = Math.max(0, Math.floor(now - epoch));
  let text = "";
  for (let digit = 0; digit < timeDigits; digit += 1) {
    text = alphabet[time % 32]! + text;
    time = Math.floor(time / 32);
  }
  return `r${text}`;
}

/** The ids that begin so stand from one text to the other, and their runs were made at `at` or later; undefined when none can. */
export function idsBeginning(
  text: string,
): { readonly from: string; readonly to: string; readonly at: number } | undefined {
  if (!new RegExp(`^r[${alphabet}]{0,${timeDigits + randomDigits}}$`).test(text)) return undefined;
  const at = runIdTime(text.padEnd(1 + timeDigits + randomDigits, alphabet[0]));
  return at === undefined ? undefined : { from: text, to: `${text}~`, at };
}

/** When a run with this id was made, in ms since 1970; undefined when it is not an id. */
export function runIdTime(id: string): number | undefined {
  if (!new RegExp(`^r[${alphabet}]{${timeDigits + randomDigits}}$`).test(id)) return undefined;
  let time = 0;
  for (const digit of id.slice(1, 1 + timeDigits)) time = time * 32 + alphabet.indexOf(digit);
  return time + epoch;
}
