/** `node tools/generate/main.ts` writes every generated file. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "./generated-files.ts";

const root = join(import.meta.dirname, "..", "..");
for (const { file, generate } of generatedFiles) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), generate());
  console.log(file);
}
