import type { Registry } from './model.js';
import { editRegistry } from './registry-edit.js';

/** A registry as the text of a new `registry.yaml`, by key. */
export function printRegistry(registry: Registry): string {
  const edits = [...registry].map(
    ([key, dataset]) => ({ edit: 'add_dataset', key, dataset }) as const,
  );
  return editRegistry('', edits);
}
