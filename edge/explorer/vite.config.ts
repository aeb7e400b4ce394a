import type { UserConfig } from "vite";

/**
 * The explorer as static files that load nothing from anywhere else: React, GraphiQL, Monaco and its workers, the
 * icon font. Links are relative, so the folder works at any address. See build.ts for when this runs.
 */
export default {
  root: import.meta.dirname,
  base: "./",
  publicDir: false,
  // Workers share chunks and load them by URL; the other format would inline them, and need `worker-src blob:`.
  worker: { format: "es" },
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    // The content policy allows no `data:` fonts or scripts, and small files are cheap on one connection.
    assetsInlineLimit: 0,
    // Monaco is one library; splitting it further would not load less of it.
    chunkSizeWarningLimit: 4_000,
    license: { fileName: "licenses.txt" },
    rolldownOptions: {
      // Libraries mark modules for servers that render React ("use client"); here all are the client's.
      onLog: (level, log, next) => (log.code === "MODULE_LEVEL_DIRECTIVE" ? undefined : next(level, log)),
    },
  },
} satisfies UserConfig;
