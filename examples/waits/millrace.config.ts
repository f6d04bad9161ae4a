import { defineConfig } from "millrace";

export default defineConfig({ project: "waits", include: ["pipelines/*.ts"] });
