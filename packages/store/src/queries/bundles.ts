/** Bundles, addressed by the hash of their manifest. */
import type { Json } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

export interface BundleRow {
  readonly hash: string;
  readonly manifest: Json;
  readonly code: string;
  readonly map: string;
}

/** Storing one that is there changes nothing. */
export async function putBundle(database: Database, bundle: BundleRow, now: number): Promise<void> {
  await database.api.query({
    name: "put-bundle",
    text: `insert into bundle (hash, manifest, code, map, created_at)
      values ($1, $2, $3, $4, $5)
      on conflict (hash) do nothing`,
    values: [bundle.hash, JSON.stringify(bundle.manifest), bundle.code, bundle.map, toTimestamp(now)],
  });
}

export async function findBundle(database: Database, hash: string): Promise<BundleRow | undefined> {
  const { rows } = await database.api.query<BundleRow>({
    name: "find-bundle",
    text: "select hash, manifest, code, map from bundle where hash = $1",
    values: [hash],
  });
  return rows[0];
}

export async function hasBundle(database: Database, hash: string): Promise<boolean> {
  const { rows } = await database.api.query<{ found: boolean }>({
    name: "has-bundle",
    text: "select exists (select from bundle where hash = $1) as found",
    values: [hash],
  });
  return rows[0]?.found ?? false;
}
