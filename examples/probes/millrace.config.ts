import { defineConfig } from "millrace";

export default defineConfig({ project: "probes", include: ["pipelines/*.ts"] });
