import { defineConfig } from "millrace";

export default defineConfig({
  project: "e2e",
  include: ["pipelines/*.ts"],
  queues: ["roomy"],
  pools: { narrow: 2 },
});
