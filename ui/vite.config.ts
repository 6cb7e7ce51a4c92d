/** How the page is built; scripts/build-ui.ts runs it. `npx vite ui` serves it while developing, with the API of a running `losslog serve`. */

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative, so that a reverse proxy may serve the page below any path.
  base: './',
  publicDir: false,
  build: {
    outDir: '../build/ui',
    emptyOutDir: true,
    target: 'es2022',
    // Both would be inline: the content security policy allows neither.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': process.env.LOSSLOG_API ?? 'http://127.0.0.1:7475' } },
});
