/** What is decided outside of the engine and belongs into the event log: written in the transaction that decides it. */
import type { Json } from "@millrace/core";
import type { ClientBase } from "pg";

export interface OutboxNews {
  readonly type: string;
  readonly subject: string;
  readonly data: Json;
}

export async function addToOutbox(
  client: Pick<ClientBase, "query">,
  workspace: number,
  news: readonly OutboxNews[],
): Promise<void> {
  if (news.length === 0) return;
  await client.query({
    name: "add-to-outbox",
    text: `insert into log_outbox (workspace, type, subject, data)
      select $1, type, subject, data::json
      from json_to_recordset($2::json) as n (type text, subject text, data text)`,
    // As text within: a list of records is taken apart, and no text of PostgreSQL holds a U+0000.
    values: [workspace, JSON.stringify(news.map((one) => ({ ...one, data: JSON.stringify(one.data) })))],
  });
}
