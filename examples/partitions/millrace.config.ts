import { defineConfig } from "millrace";

export default defineConfig({ project: "partitions", include: ["pipelines/*.ts"] });
