import { type RegistryBlock, splitRegistry } from './registry-blocks.js';
import { editRegistry, keyOfBlock, type RegistryEdit } from './registry-edit.js';
import { REGISTRY_HEADER, registryPartHeader } from './registry-text.js';

/** A datasource with more datasets than this, or with more text, gets a file of its own: so much a person can still review. */
export const DATASETS_TOGETHER_MAX = 2_000;
const CHARACTERS_TOGETHER_MAX = 1_048_576;

/** The texts of the baseline that one datasource's scan may change. */
export interface RegistryTexts {
  /** `registry.yaml`; empty where there is none yet. */
  registry: string;
  /** The datasource's own file; null where it has none. */
  part: string | null;
  /** The datasource's own file with what was moved to it and before any edit; absent where nothing was moved. */
  moved?: string;
}

/**
 * Applies edits of one datasource's datasets to the files they are in. Where there are too many for the one file, they get a file of
 * their own: what stood in the first is moved as it is, with its comments. A file of its own is never given up again, and without edits
 * nothing moves. A registry that is no plain block mapping stays in one file.
 */
export function editRegistryFiles(
  { registry, part }: RegistryTexts,
  edits: readonly RegistryEdit[],
  datasource: { id: string; keys: readonly string[] },
): RegistryTexts {
  if (edits.length === 0) return { registry, part };
  const added = edits.flatMap((edit) => (edit.edit === 'add_dataset' ? [edit.key] : []));
  const keys = new Set([...datasource.keys, ...added]);
  if (part === null && keys.size <= DATASETS_TOGETHER_MAX) {
    const edited = editRegistry(registry, edits);
    if (
      edited.length <= CHARACTERS_TOGETHER_MAX ||
      sizeOf(edited, keys) <= CHARACTERS_TOGETHER_MAX
    ) {
      return { registry: edited, part };
    }
  }
  const split = splitRegistry(registry);
  if (split === null) {
    if (part === null) return { registry: editRegistry(registry, edits), part };
    const inPart = new Set(splitRegistry(part)?.blocks.map(({ body }) => keyOfBlock(body)));
    const isOfPart = ({ key, edit }: RegistryEdit) => edit === 'add_dataset' || inPart.has(key);
    return {
      registry: editRegistry(
        registry,
        edits.filter((edit) => !isOfPart(edit)),
      ),
      part: editRegistry(part, edits.filter(isOfPart)),
    };
  }
  const isOwn = ({ body }: RegistryBlock) => keys.has(keyOfBlock(body));
  const own = split.blocks.filter(isOwn);
  const stays = own.length === 0 ? null : split.blocks.filter((block) => !isOwn(block));
  const rest =
    stays === null
      ? registry
      : joinLines([
          split.header,
          ...stays.flatMap(({ lead, body }) => [lead, body]),
          split.trailer,
        ]);
  const moved = insertBlocks(part ?? registryPartHeader(datasource.id), own);
  return {
    registry: rest.trim() === '' ? REGISTRY_HEADER : rest,
    part: editRegistry(moved, edits),
    ...(own.length === 0 ? {} : { moved }),
  };
}

/** Puts blocks before the first one whose key is greater; one that is there already, a killed scan has left behind. */
function insertBlocks(text: string, blocks: readonly RegistryBlock[]): string {
  const split = blocks.length === 0 ? null : splitRegistry(text);
  if (split === null) return text;
  const placed = (block: RegistryBlock) => ({ ...block, key: keyOfBlock(block.body) });
  const present = split.blocks.map(placed);
  const known = new Set(present.map(({ key }) => key));
  const moved = blocks.map(placed).filter(({ key }) => !known.has(key));
  const waiting = moved.sort((a, b) => (a.key < b.key ? -1 : 1));
  const parts = [split.header];
  let next = 0;
  for (const block of present) {
    for (; next < waiting.length && (waiting[next]?.key ?? '') < block.key; next += 1) {
      parts.push(waiting[next]?.lead ?? '', waiting[next]?.body ?? '');
    }
    parts.push(block.lead, block.body);
  }
  for (const { lead, body } of waiting.slice(next)) parts.push(lead, body);
  return joinLines([...parts, split.trailer]);
}

function sizeOf(text: string, keys: ReadonlySet<string>): number {
  const blocks = splitRegistry(text)?.blocks ?? [];
  return blocks.reduce((sum, { body }) => sum + (keys.has(keyOfBlock(body)) ? body.length : 0), 0);
}

/** The last line of a file may lack its newline; nothing may be glued to it. */
function joinLines(parts: readonly string[]): string {
  let text = '';
  for (const part of parts) {
    if (part !== '' && text !== '' && !text.endsWith('\n')) text += '\n';
    text += part;
  }
  return text;
}
