import { readFileSync } from 'node:fs';

/**
 * What a file of a reference implementation imports beside its own files, types of src/, and the packages that are allowed:
 * it must share nothing with what it is compared with.
 */
export function foreignImportsOf(path: string, allowed: readonly string[] = []): string[] {
  const text = readFileSync(path, 'utf8');
  const imports = [...text.matchAll(/^(import|export)\b[^;]*?\bfrom '([^']+)';/gms)];
  const foreign = imports.flatMap(([statement, , from = '']) => {
    const isOwn = from.startsWith('./') || allowed.includes(from);
    const isType = from.includes('/src/') && statement.startsWith('import type ');
    return isOwn || isType ? [] : [statement];
  });
  // Nothing comes in by another way.
  const mentions = text.match(/\bfrom '|\bimport\s*\(|\brequire\s*\(|\bimport\s*'/g) ?? [];
  return mentions.length === imports.length ? foreign : [...foreign, `${path}: another import`];
}
