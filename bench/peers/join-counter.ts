/** What a queue without a join of its own needs for one: how many items are still out, and what they made. */
import type { Pool } from "pg";

export class JoinCounter {
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  static async create(pool: Pool): Promise<JoinCounter> {
    await pool.query(
      "create table join_counter (id text primary key, missing integer not null, total integer not null)",
    );
    return new JoinCounter(pool);
  }

  async open(id: string, missing: number): Promise<void> {
    await this.#pool.query({
      name: "open",
      text: `insert into join_counter (id, missing, total) values ($1, $2, 0)
        on conflict (id) do update set missing = excluded.missing, total = 0`,
      values: [id, missing],
    });
  }

  /** Gives the total to the one that came last. */
  async arrive(id: string, value: number): Promise<number | undefined> {
    const { rows } = await this.#pool.query<{ missing: number; total: number }>({
      name: "arrive",
      text: "update join_counter set missing = missing - 1, total = total + $2 where id = $1 returning missing, total",
      values: [id, value],
    });
    return rows[0]?.missing === 0 ? rows[0].total : undefined;
  }
}
