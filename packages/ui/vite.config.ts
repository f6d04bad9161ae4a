import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `npm run dev -w packages/ui` finds a server: that of `millrace dev`. */
const server = "http://127.0.0.1:4600";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // The policy of the page lets no `data:` in but for pictures.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: { host: "127.0.0.1", proxy: { "/api": { target: server, changeOrigin: true } } },
});
