import { defineConfig } from "millrace";

export default defineConfig({ project: "webhooks", include: ["pipelines/*.ts"] });
