import { gzipSync } from 'node:zlib';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

/** Empties the folder of the last build. Its .gitignore stays, so that berthd's build can watch the folder from the first day. */
function emptied(): Plugin {
  let folder = '';
  return {
    name: 'emptied',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    buildStart() {
      for (const name of readdirSync(folder)) {
        if (!name.startsWith('.')) rmSync(join(folder, name), { recursive: true });
      }
    },
  };
}

/** Lays a `.gz` beside every text that is sent, for nginx (gzip_static) and berthd: nobody compresses at each request. */
function precompressed(): Plugin {
  let folder = '';
  return {
    name: 'precompressed',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isFile() && /\.(js|css|html|svg|json|webmanifest)$/.test(entry.name)) {
          writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
        }
      }
    },
  };
}

export default defineConfig({
  // Relative, so that berth can stand under any path of a host.
  base: './',
  plugins: [svelte(), emptied(), precompressed()],
  build: {
    target: 'es2024',
    emptyOutDir: false,
    // SECURITY: the page's policy allows no data: URL but pictures; nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  // `npm run dev` against a berthd that runs on its own.
  server: {
    proxy: Object.fromEntries(
      ['/v1', '/i', '/d', '/openapi.json'].map((path) => [
        path,
        process.env['BERTH_URL'] ?? 'http://127.0.0.1:8080',
      ]),
    ),
  },
});
