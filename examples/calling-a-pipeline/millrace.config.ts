import { defineConfig } from "millrace";

export default defineConfig({ project: "calling-a-pipeline", include: ["pipelines/*.ts"] });
