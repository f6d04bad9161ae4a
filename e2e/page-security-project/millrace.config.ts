import { defineConfig } from "millrace";

export default defineConfig({
  project: "evil",
  include: ["pipelines/*.ts"],
});
