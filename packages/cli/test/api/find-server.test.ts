import { expect, test } from "vitest";
import { ApiClient } from "../../src/api/client.ts";
import { refuseForeign, requireServer } from "../../src/api/find-server.ts";
import { readEnvironment } from "../../src/environment.ts";
import { openTerminal } from "../../src/terminal/terminal.ts";
import { projectWith } from "../command-process.ts";
import { startApiServer } from "./api-server.ts";

test("who names a state folder is given no other server, and told of none", async () => {
  const context = {
    terminal: openTerminal({}),
    environment: readEnvironment({ MILLRACE_STATE: "/nowhere/state" }),
    folder: "/nowhere",
  };
  const message = "No server runs on the state folder /nowhere/state.";
  await expect(requireServer(context, {})).rejects.toMatchObject({ message });
});

test("a server at the usual address is changed from a project only when it has that project or none", async () => {
  let projects = ["other", "shop"];
  await using server = await startApiServer(() => ({
    status: 200,
    body: { items: projects.map((project) => ({ name: "p", project })) },
  }));
  const client = new ApiClient({ url: server.url, token: undefined });
  const inFolder = (folder: string) => ({
    terminal: openTerminal({}),
    environment: readEnvironment({}),
    folder,
  });
  const shop = inFolder(projectWith({}));
  await refuseForeign(shop, client);
  projects = ["other"];
  await refuseForeign(inFolder("/nowhere"), client);
  await expect(refuseForeign(shop, client)).rejects.toMatchObject({
    code: "MILLRACE_SERVER_UNREACHABLE",
    message: `No server of the project "shop" answers: the one at ${server.url} has "other".`,
    advice: expect.stringContaining(`--url ${server.url}`),
  });
  projects = [];
  await refuseForeign(shop, client);
});
