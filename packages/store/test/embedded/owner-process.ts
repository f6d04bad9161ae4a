// Started by tests as a process of its own: owns a state folder's server until it is killed.
import { startEmbedded } from "../../src/embedded/server.ts";
import { claimStateFolder } from "../../src/embedded/state-folder.ts";

const [folder, url] = process.argv.slice(2);
if (folder === undefined || url === undefined) throw new Error("usage: owner-process FOLDER URL");
try {
  const claim = await claimStateFolder(folder);
  await claim.publish({ url });
  const server = await startEmbedded({ folder, claim });
  process.stdout.write(`${JSON.stringify({ kind: "ready", pid: server.pid(), adopted: server.adopted })}\n`);
  // Lives until it is killed: the watching alone does not keep a process.
  setInterval(() => {}, 60_000);
} catch (error) {
  const { code, message, fields } = error as { code?: string; message: string; fields?: unknown };
  process.stdout.write(`${JSON.stringify({ kind: "failed", code, message, fields })}\n`);
}
