import { defineConfig } from "millrace";

export default defineConfig({ project: "fan-out", include: ["pipelines/*.ts"] });
