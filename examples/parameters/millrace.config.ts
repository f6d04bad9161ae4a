import { defineConfig } from "millrace";

export default defineConfig({ project: "parameters", include: ["pipelines/*.ts"] });
