import { defineConfig } from "millrace";

export default defineConfig({
  project: "mill",
  include: ["pipelines/*.ts"],
  pools: { warehouse: 1 },
});
