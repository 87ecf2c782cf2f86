import { type Document, isAlias, isMap, isNode, LineCounter, parseDocument, visit } from 'yaml';

/** A file that people write is far below this. */
const BYTES_MAX = 1_048_576;
const ALIASES_MAX = 100;
const PROBLEMS_MAX = 50;

/** What YAML 1.2's core schema gives by itself; every other tag asks for a custom type. */
const CORE_TAGS = new Set(
  ['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`),
);

export type YamlPosition = { line: number; column: number };

/** One reason why a text is not acceptable YAML. */
export type YamlFinding = YamlPosition & { code: string; message: string };

export type YamlFile = {
  /** Plain data; `undefined` where there are findings. An empty file is `null`. */
  value: unknown;
  findings: readonly YamlFinding[];
  /** Where the value at a path begins, or its nearest ancestor; with `key`, where its key does. */
  positionOf(path: readonly (string | number)[], of?: 'key' | 'value'): YamlPosition;
};

/**
 * Reads one YAML 1.2 document as plain data: no custom tags, no merge keys, no `__proto__`, no
 * duplicate keys, text keys only, at most 100 aliases and 1 MiB. All findings at once, with positions
 * that start at 1.
 */
export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  if (Buffer.byteLength(text) > BYTES_MAX) {
    const message = `The file is larger than ${BYTES_MAX} bytes.`;
    return {
      value: undefined,
      findings: [{ code: 'yaml_too_large', message, line: 1, column: 1 }],
      positionOf: () => ({ line: 1, column: 1 }),
    };
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: false,
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
  });
  const at = (offset: number): YamlPosition => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const findings: YamlFinding[] = document.errors.map((error) => ({
    code: 'yaml_syntax',
    message: `This is not valid YAML: ${error.message.split('\n')[0] ?? error.code}.`.replace(
      /[.:]+\.$/,
      '.',
    ),
    ...at(error.pos[0]),
  }));
  findings.push(...refusedNodes(document, at));
  const positionOf: YamlFile['positionOf'] = (path, of = 'value') =>
    at(offsetOf(document, path, of));
  if (findings.length > 0)
    return { value: undefined, findings: findings.slice(0, PROBLEMS_MAX), positionOf };
  try {
    return { value: document.toJS({ maxAliasCount: ALIASES_MAX }), findings, positionOf };
  } catch {
    // The only error left after the checks above: aliases that unfold into too much.
    const message = 'The aliases of this file unfold into too much data.';
    return {
      value: undefined,
      findings: [{ code: 'yaml_aliases', message, line: 1, column: 1 }],
      positionOf,
    };
  }
}

function refusedNodes(document: Document, at: (offset: number) => YamlPosition): YamlFinding[] {
  const findings: YamlFinding[] = [];
  let aliases = 0;
  const refuse = (code: string, message: string, offset: number) =>
    findings.push({ code, message, ...at(offset) });
  visit(document, {
    Node(_key, node) {
      const offset = node.range?.[0] ?? 0;
      if (isAlias(node)) {
        aliases += 1;
        if (aliases === ALIASES_MAX + 1)
          refuse('yaml_aliases', `The file has more than ${ALIASES_MAX} aliases.`, offset);
      } else if (node.tag !== undefined && !CORE_TAGS.has(node.tag)) {
        refuse('yaml_tag', `The tag ${node.tag} is not supported.`, offset);
      }
    },
    Pair(_key, pair) {
      const offset = isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
      const name = isNode(pair.key) && !isAlias(pair.key) ? pair.key.toJSON() : pair.key;
      if (typeof name !== 'string') refuse('yaml_key', 'A key must be text.', offset);
      else if (name === '__proto__')
        refuse('yaml_key', 'The key __proto__ is not allowed.', offset);
      else if (name === '<<') refuse('yaml_merge', 'Merge keys (<<) are not supported.', offset);
    },
  });
  return findings;
}

/** The offset of the deepest node on the path that exists. */
function offsetOf(
  document: Document,
  path: readonly (string | number)[],
  of: 'key' | 'value',
): number {
  let found = document.contents?.range?.[0] ?? 0;
  let node: unknown = document.contents;
  for (const [index, step] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isNode(item.key) && String(item.key.toJSON()) === String(step),
      );
      if (pair === undefined) break;
      const last = index === path.length - 1;
      const target = isNode(pair.value) && !(last && of === 'key') ? pair.value : pair.key;
      if (isNode(target)) found = target.range?.[0] ?? found;
      node = pair.value;
    } else {
      const next: unknown = document.getIn(path.slice(0, index + 1), true);
      if (!isNode(next)) break;
      found = next.range?.[0] ?? found;
      node = next;
    }
  }
  return found;
}
