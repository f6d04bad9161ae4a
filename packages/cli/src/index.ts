/** The command line; `packages/millrace/bin` runs it. */
export { main } from "./main.ts";
