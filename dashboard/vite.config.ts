// How the dashboard is bundled. Two demands shape it: the content security policy (no inline
// script or style, no data: scripts, Trusted Types on) and the size budget, which a test reads from
// the manifest. `scripts/build-dashboard.ts` passes the output folder.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist/latest',
    emptyOutDir: true,
    manifest: true,
    target: 'es2023',
    // Every supported browser preloads modules itself; the polyfill would be dead weight.
    modulePreload: { polyfill: false },
    // A data: address for a script or a style would be refused by the policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
