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
  test: { include: ['test/**/*.test.ts'], environment: 'node', css: true },
});
