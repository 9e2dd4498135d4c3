// SPDX-License-Identifier: Apache-2.0
// How the pages are built: one script, one style sheet, both named after their content.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2021',
    outDir: 'dist',
    assetsDir: 'assets',
    assetsInlineLimit: 0, // a data: address would need a wider content security policy
    modulePreload: false,
    reportCompressedSize: true,
  },
  // `npm run dev` shows the pages of this folder with the data of a gateway that runs.
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } } },
  test: { include: ['test/**/*.test.ts'], environment: 'node', css: true },
});
