/** One change of a resource at a time, over all servers. */
import type { Database } from "../connect.ts";

/** Runs `act` while no other server does so under this name. It takes one connection of its own. */
export async function withChangeLock<Answer>(
  database: Database,
  name: string,
  act: () => Promise<Answer>,
): Promise<Answer> {
  const client = await database.api.connect();
  try {
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`millrace ${name}`]);
    const answer = await act();
    await client.query("commit");
    client.release();
    return answer;
  } catch (error) {
    await client.query("rollback").then(
      () => client.release(),
      (lost: unknown) => client.release(lost instanceof Error ? lost : true),
    );
    throw error;
  }
}
