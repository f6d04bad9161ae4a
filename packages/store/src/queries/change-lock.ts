/** One change of a resource at a time, over all servers. */
import type { Database } from "../connect.ts";

const key = "hashtextextended($1, 0)";

/**
 * Runs `act` while no other server does so under this name. It takes one connection of its own, whose session holds the lock: a
 * transaction that waits for `act` would be ended as idle.
 */
export async function withChangeLock<Answer>(
  database: Database,
  name: string,
  act: () => Promise<Answer>,
): Promise<Answer> {
  const client = await database.api.connect();
  let lost: Error | undefined;
  // While nothing is asked of it, nobody else hears that it was lost.
  const lose = (error: Error): void => void (lost = error);
  client.on("error", lose);
  const values = [`millrace ${name}`];
  try {
    await client.query(`select pg_advisory_lock(${key})`, values);
    return await act();
  } finally {
    if (!lost) await client.query(`select pg_advisory_unlock(${key})`, values).catch(lose);
    client.off("error", lose);
    // A connection that is ended gives its lock back.
    client.release(lost);
  }
}
