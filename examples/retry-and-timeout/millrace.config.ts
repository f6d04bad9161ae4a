import { defineConfig } from "millrace";

export default defineConfig({ project: "retry-and-timeout", include: ["pipelines/*.ts"] });
