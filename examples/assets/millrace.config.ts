import { defineConfig } from "millrace";

export default defineConfig({ project: "warehouse", include: ["pipelines/*.ts"] });
