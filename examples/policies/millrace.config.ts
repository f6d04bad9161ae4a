import { defineConfig } from "millrace";

export default defineConfig({ project: "policies", include: ["pipelines/*.ts"] });
