import { defineConfig } from "millrace";

export default defineConfig({ project: "testing", include: ["pipelines/*.ts"], pools: { warehouse: 2 } });
