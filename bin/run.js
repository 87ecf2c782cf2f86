#!/usr/bin/env node
// oclif looks for development plugins and TypeScript sources unless this says production.
process.env.NODE_ENV ??= 'production';
// oclif's debug log holds the whole command line, passwords too; vkit's own switch is VKIT_DEBUG.
delete process.env.DEBUG;
await import('../dist/cli.js');
