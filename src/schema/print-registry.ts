import type { Registry } from './model.js';
import { editRegistry } from './registry-edit.js';
import { newDatasetText } from './registry-text.js';

/** A registry as the text of a new `registry.yaml`, by key. */
export function printRegistry(registry: Registry): string {
  const edits = [...registry].map(([key, { datasource, fields }]) => {
    const text = newDatasetText(key, datasource, [...fields.keys()], [...fields.values()]);
    return { edit: 'add_dataset', key, text } as const;
  });
  return editRegistry('', edits);
}
