import { defineConfig } from "millrace";

export default defineConfig({ project: "bench", include: ["pipelines/*.ts"] });
