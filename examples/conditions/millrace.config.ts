import { defineConfig } from "millrace";

export default defineConfig({ project: "conditions", include: ["pipelines/*.ts"] });
