/**
 * What is read out of the definitions of active deployments is kept until others are active: each is a megabyte of JSON where there
 * are some hundred pipelines, which takes 40 ms to read.
 */
import type { Database } from "../connect.ts";

interface Kept {
  readonly deployments: string;
  readonly value: Promise<unknown>;
}

const kept = new WeakMap<Database, Map<string, Kept>>();

/** `name`: what is read, and of which workspace. Nobody may change what is given. */
export async function whileDeployed<Value>(
  database: Database,
  workspace: number,
  { name, read }: { readonly name: string; readonly read: () => Promise<Value> },
): Promise<Value> {
  // Asked first: what is read may be of later deployments, and is read again once those are seen.
  const deployments = await activeDeployments(database, workspace);
  const ofDatabase = kept.get(database) ?? new Map<string, Kept>();
  kept.set(database, ofDatabase);
  const key = `${workspace} ${name}`;
  const found = ofDatabase.get(key);
  if (found?.deployments === deployments) return (await found.value) as Value;
  const value = read();
  ofDatabase.set(key, { deployments, value });
  try {
    return await value;
  } catch (error) {
    if (ofDatabase.get(key)?.value === value) ofDatabase.delete(key);
    throw error;
  }
}

async function activeDeployments(database: Database, workspace: number): Promise<string> {
  const { rows } = await database.api.query<{ project: string; number: number; bundle: string; at: string }>({
    name: "active-deployments",
    text: `select project, number, bundle, created_at::text as at from deployment
      where workspace = $1 and active
      order by project`,
    values: [workspace],
  });
  return JSON.stringify(rows.map(({ project, number, bundle, at }) => [project, number, bundle, at]));
}
