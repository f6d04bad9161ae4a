import { startTestServer, testRunVariable } from "./test-server.ts";

/** Vitest's global set-up: one PostgreSQL server for the run. Test processes inherit the variable. */
export default async function setup(): Promise<() => Promise<void>> {
  const server = await startTestServer();
  process.env[testRunVariable] = server.folder;
  return () => server.stop();
}
