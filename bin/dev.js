#!/usr/bin/env node
// Builds from the sources first: what runs is what users run.
import { build } from '../scripts/build.mjs';

await build();
await import('./run.js');
