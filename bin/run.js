#!/usr/bin/env node
// oclif looks for development plugins and TypeScript sources unless this says production.
process.env.NODE_ENV ??= 'production';
await import('../dist/cli.js');
