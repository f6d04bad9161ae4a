import { defineConfig } from "millrace";

export default defineConfig({
  project: "large",
  include: ["pipelines/*.ts"],
});
