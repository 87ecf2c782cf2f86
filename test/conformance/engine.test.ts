import { describeEngine } from './engine.js';
import { enginesUnderTest } from './engines.js';

for (const engine of Object.values(enginesUnderTest)) describeEngine(engine);
