#!/usr/bin/env node
// The installed command: the same hand-over as `npm start`, from any working directory.
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, 'src/main.ts');
await import(fileURLToPath(new URL('../scripts/run.mjs', import.meta.url)));
