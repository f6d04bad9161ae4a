import { defineConfig } from "millrace";

export default defineConfig({
  project: "shop",
  include: ["pipelines/*.ts"],
});
