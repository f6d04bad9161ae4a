/** What servers of one database tell each other of what is live. A notification is a hint: it may be lost. */
import type { Database } from "../connect.ts";

export const liveChannel = "millrace_live";
/** PostgreSQL refuses longer ones, in bytes. */
export const liveNoteBytesMax = 7_900;

export async function announceLive(database: Database, note: string): Promise<void> {
  await database.api.query({
    name: "announce-live",
    text: "select pg_notify($1, $2)",
    values: [liveChannel, note],
  });
}
