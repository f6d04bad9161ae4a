import { defineConfig } from "millrace";

export default defineConfig({ project: "mappings", include: ["pipelines/*.ts"] });
