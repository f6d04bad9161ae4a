/** Waiting for what other processes do: for a signal of theirs, or until what they leave behind can be seen. */

const probeMs = 25;

/** How many waits of this process were in vain: then a test fails, and its stack says what it sees. */
export const waits = { late: 0 };

/** Asks `probe` until it gives something, and throws after `ms`. A probe that throws is asked again. */
export async function until<T>(
  what: string,
  ms: number,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const end = performance.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      waits.late += 1;
      throw new Error(`not within ${ms} ms: ${what}`, { cause: last });
    }
    await new Promise((resolve) => {
      setTimeout(resolve, probeMs);
    });
  }
}

/** The promise's value, or an error that says what did not come in time. */
export async function within<T>(what: string | (() => string), ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not within ${ms} ms: ${typeof what === "string" ? what : what()}`)),
      ms,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
