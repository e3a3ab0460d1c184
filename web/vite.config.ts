import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The built page is committed and embedded into the binary (internal/web): the same sources must give the same bytes.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: '../internal/web/dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the content security policy allows no data: scripts or styles
    reportCompressedSize: false,
  },
  server: {
    // `tend serve` beside it answers what the page asks.
    proxy: Object.fromEntries(['/v1', '/auth', '/docs', '/openapi.json'].map((p) => [p, { target: 'http://127.0.0.1:8420', changeOrigin: true, headers: { Origin: 'http://127.0.0.1:8420' } }])),
  },
  test: { include: ['src/**/*.test.{ts,tsx}'], environment: 'node' },
});
