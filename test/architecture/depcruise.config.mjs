import { forbiddenRules } from './layers.mjs';

export default {
  forbidden: forbiddenRules(),
  options: {
    doNotFollow: { path: 'node_modules' },
    // Imports of types count: a room that needs another's type knows that room.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types'] },
  },
};
