import { defineConfig } from "millrace";

export default defineConfig({ project: "e2e-files", include: ["pipelines/*.ts"] });
