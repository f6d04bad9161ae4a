import { defineConfig } from "millrace";

export default defineConfig({ project: "setup-teardown", include: ["pipelines/*.ts"] });
