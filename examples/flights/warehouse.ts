/** DuckDB in memory, over the Parquet files of the folder `out`. One per attempt: nothing is shared, nothing stays open. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { DuckDBInstance, type DuckDBValue } from "@duckdb/node-api";

export interface Warehouse {
  /** Rows as JSON: a BIGINT would come as text, so statements cast what they count to INTEGER. */
  readonly query: <Row>(sql: string, values?: readonly DuckDBValue[]) => Promise<Row[]>;
  /** Writes the rows of `select` as Parquet. The file appears under its name when it is whole, so a repeated attempt is harmless. */
  readonly export: (select: string, file: string) => Promise<void>;
}

/** Opens a warehouse for `use`, interrupts it on `signal`, and closes it however `use` ends. */
export async function withWarehouse<T>(
  signal: AbortSignal,
  use: (warehouse: Warehouse) => Promise<T>,
): Promise<T> {
  // Attempts run side by side: one thread each keeps a small machine usable.
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "600MB" });
  const connection = await instance.connect();
  const interrupt = (): void => connection.interrupt();
  signal.addEventListener("abort", interrupt);
  try {
    return await use({
      query: async <Row>(sql: string, values: readonly DuckDBValue[] = []) => {
        const reader = await connection.runAndReadAll(sql, [...values]);
        return reader.getRowObjectsJson() as Row[];
      },
      export: async (select, file) => {
        await mkdir(dirname(file), { recursive: true });
        const unfinished = `${file}.unfinished`;
        await connection.run(`copy (${select}) to ${quote(unfinished)} (format parquet, compression zstd)`);
        await rename(unfinished, file);
      },
    });
  } finally {
    signal.removeEventListener("abort", interrupt);
    connection.closeSync();
    instance.closeSync();
  }
}

/** A text as an SQL literal: file names can't be parameters of every statement. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `read_parquet` of these files, as it stands in a `from`. */
export function parquet(files: readonly string[]): string {
  return `read_parquet([${files.map(quote).join(", ")}])`;
}

/** A path below `out`. Tasks run in the project's folder. */
export function outPath(...parts: readonly string[]): string {
  return resolve("out", ...parts);
}

/** A file of the npm package `vega-datasets`, wherever npm put it. */
export function datasetPath(name: string): string {
  const entry = createRequire(resolve("package.json")).resolve("vega-datasets");
  return join(dirname(entry), "..", "data", name);
}

/** Writes a file that has its name only when it is whole. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.unfinished`, text);
  await rename(`${file}.unfinished`, file);
}
