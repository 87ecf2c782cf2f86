import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import type { Problem } from '../errors/index.js';

/** Bounds on a YAML file from outside. */
export const YAML_LIMITS = {
  bytesMax: 256 * 1024,
  depthMax: 24,
  aliasesMax: 32,
  problemsMax: 50,
} as const;

export interface Position {
  line: number;
  column: number;
}

/** A YAML file read as plain data. With problems the value is `undefined`. */
export interface YamlDocument {
  value: unknown;
  problems: readonly Problem[];
  /** Where the value of a JSON Pointer stands; of one that is not there, the nearest part around it. From 1. */
  position(pointer: string): Position;
  /** Where its key stands. */
  keyPosition(pointer: string): Position;
}

const START: Position = { line: 1, column: 1 };

/**
 * Reads one YAML 1.2 document of the core schema. Refused: custom tags, merge keys, keys that are no text or stand twice,
 * `__proto__`, a second document, more aliases, depth or bytes than `YAML_LIMITS`.
 */
export function readYaml(text: string, file: string): YamlDocument {
  const failed = (problem: Problem): YamlDocument => ({
    value: undefined,
    problems: [{ file, ...START, ...problem }],
    position: () => START,
    keyPosition: () => START,
  });
  if (new TextEncoder().encode(text).length > YAML_LIMITS.bytesMax) {
    return failed({
      code: 'too_large',
      message: `The file has more than ${YAML_LIMITS.bytesMax} bytes.`,
    });
  }
  const lines = new LineCounter();
  const document = parse(text, lines);
  if (document === null) return failed(tooDeep());
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const errors = [...document.errors, ...document.warnings].slice(0, YAML_LIMITS.problemsMax);
  const syntax = errors.map(
    (error): Refusal => ({
      offset: error.pos[0],
      code: error.code === 'MULTIPLE_DOCS' ? 'many_documents' : 'yaml_syntax',
      message: sentence(error.message),
    }),
  );
  const refusals = syntax.length > 0 ? syntax : refused(document);
  const { value, tooMany } = refusals.length > 0 ? { value: undefined } : plain(document);
  const problems = [...refusals, ...(tooMany ? [tooManyAliases(0)] : [])].map(
    ({ offset, ...problem }): Problem => ({ file, ...at(offset), ...problem }),
  );
  return {
    value,
    problems,
    position: (pointer) => at(locate(document, pointer, false)),
    keyPosition: (pointer) => at(locate(document, pointer, true)),
  };
}

type Refusal = Problem & { offset: number };

function parse(text: string, lineCounter: LineCounter): Document | null {
  const document = parseDocument(text, {
    lineCounter,
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: true,
    prettyErrors: false,
    // `silent` would also keep quiet about a second document.
    logLevel: 'error',
  });
  // The parser reports the end of its own recursion as if it were an error of the text.
  return document.errors.some((error) => /call stack/.test(error.message)) ? null : document;
}

function plain(document: Document): { value: unknown; tooMany?: boolean } {
  try {
    return { value: document.toJS({ maxAliasCount: YAML_LIMITS.aliasesMax }) };
  } catch (error) {
    // Aliases of aliases, which would grow beyond all measure.
    if (error instanceof ReferenceError) return { value: undefined, tooMany: true };
    throw error;
  }
}

function tooDeep(): Problem {
  const message = `The file is nested more than ${YAML_LIMITS.depthMax} levels deep.`;
  return { code: 'too_deep', message };
}

function tooManyAliases(offset: number): Refusal {
  const message = `Aliases repeat more than ${YAML_LIMITS.aliasesMax} nodes.`;
  return { offset, code: 'too_many_aliases', message };
}

function refused(document: Document): Refusal[] {
  const found: Refusal[] = [];
  const add = (node: unknown, code: string, message: string) =>
    found.push({ offset: startOf(node) ?? 0, code, message });
  let aliases = 0;
  visit(document, (_key, node, path) => {
    if (path.filter((one) => isMap(one) || isSeq(one)).length > YAML_LIMITS.depthMax) {
      found.push({ offset: startOf(node) ?? 0, ...tooDeep() });
      return visit.BREAK;
    }
    if (isAlias(node)) {
      aliases += 1;
      const source = node.resolve(document);
      if (source === undefined || path.includes(source)) {
        add(node, 'bad_alias', `The alias *${node.source} stands inside of what it repeats.`);
      }
      if (aliases === YAML_LIMITS.aliasesMax + 1) found.push(tooManyAliases(startOf(node) ?? 0));
    }
    if (isNode(node) && node.tag && !isStandardTag(node.tag)) {
      add(node, 'custom_tag', `The tag ${node.tag} is not allowed.`);
    }
    if (isPair(node)) refuseKey(node, add);
    return undefined;
  });
  return found;
}

function refuseKey(pair: Pair, add: (node: unknown, code: string, message: string) => void): void {
  const key = isScalar(pair.key) ? pair.key.value : undefined;
  if (typeof key !== 'string') add(pair.key, 'bad_key', 'A key must be a text.');
  else if (key === '<<') add(pair.key, 'merge_key', 'Merge keys (<<) are not allowed.');
  else if (key === '__proto__') add(pair.key, 'bad_key', 'The key __proto__ is not allowed.');
}

function isStandardTag(tag: string): boolean {
  return /^tag:yaml\.org,2002:(map|seq|str|int|float|bool|null)$/.test(tag) || tag === '!';
}

function locate(document: Document, pointer: string, wantKey: boolean): number {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'));
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of steps.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    let key: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === step);
      if (!pair) return offset;
      key = pair.key;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (node === undefined) return offset;
    } else {
      return offset;
    }
    const last = index === steps.length - 1;
    offset =
      (last && wantKey ? startOf(key) : undefined) ?? startOf(node) ?? startOf(key) ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function sentence(message: string): string {
  const line = message.split('\n')[0] ?? '';
  return line.endsWith('.') ? line : `${line}.`;
}
