/** `npm run history -- --folder F [--short] [--port N]`: makes a long history there if there is none, and serves it. */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { openHistory } from "./open.ts";

const { values } = parseArgs({
  options: {
    folder: { type: "string" },
    short: { type: "boolean", default: false },
    port: { type: "string", default: "0" },
  },
});
if (values.folder === undefined) {
  console.error("usage: npm run history -- --folder F [--short] [--port N]");
  process.exit(2);
}

const history = await openHistory({ short: values.short, folder: values.folder }, Number(values.port));
const { server, made } = history;
console.log(`${made.sizes.runs} runs, made in ${made.seconds} s, ${made.megabytes} MB: ${server.url}`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await history[Symbol.asyncDispose]();
