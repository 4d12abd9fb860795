import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where `npm run web:dev` finds an API: that of `carillon dev --port 8080`, unless said otherwise. */
const api = process.env.CARILLON_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  root: here("."),
  // Relative: the server says below which path the page is.
  base: "./",
  plugins: [react()],
  resolve: { alias: { "carillon/client": here("../src/client/index.ts") } },
  css: { modules: { localsConvention: "camelCaseOnly" } },
  build: {
    outDir: here("../dist/web"),
    emptyOutDir: true,
    target: "es2023",
    manifest: true,
    // The policy lets in files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Its weight, compressed, is held by test/web/weight.test.ts.
    chunkSizeWarningLimit: 800,
  },
  server: { proxy: { "/api": api, "/docs": api, "/openapi.json": api, "/healthz": api } },
});
