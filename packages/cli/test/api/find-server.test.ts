import { expect, test } from "vitest";
import { requireServer } from "../../src/api/find-server.ts";
import { readEnvironment } from "../../src/environment.ts";
import { openTerminal } from "../../src/terminal/terminal.ts";

test("who names a state folder is given no other server, and told of none", async () => {
  const context = {
    terminal: openTerminal({}),
    environment: readEnvironment({ MILLRACE_STATE: "/nowhere/state" }),
    folder: "/nowhere",
  };
  const message = "No server runs on the state folder /nowhere/state.";
  await expect(requireServer(context, {})).rejects.toMatchObject({ message });
});
