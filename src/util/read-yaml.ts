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

/** Bounds on a YAML file from outside. */
export interface YamlLimits {
  bytesMax: number;
  depthMax: number;
  aliasesMax: number;
}

/** A file that people write is far below these. */
const LIMITS_DEFAULT: YamlLimits = { bytesMax: 1_048_576, depthMax: 64, aliasesMax: 100 };
const FINDINGS_MAX = 50;

/** Where something stands in a file, both from 1. */
export type YamlPosition = { line: number; column: number };

/** One reason why a text is not acceptable YAML. */
export type YamlFinding = YamlPosition & { code: string; message: string };

/** Steps from the root of a document to a value. */
export type YamlPath = readonly (string | number)[];

export type YamlFile = {
  /** Plain data; `undefined` where there are findings. An empty file is `null`. */
  value: unknown;
  findings: readonly YamlFinding[];
  /** Where the value at a path begins, or its nearest ancestor; with `key`, where its key does. */
  positionOf(path: YamlPath, of?: 'key' | 'value'): YamlPosition;
};

const START: YamlPosition = { line: 1, column: 1 };

/**
 * Reads one YAML 1.2 document of the core schema as plain data. Refused: custom tags, merge keys, keys that are no text or
 * stand twice, `__proto__`, a second document, more bytes, depth or aliases than the limits. All findings at once, at most 50,
 * with positions.
 */
export function readYaml(text: string, limits: Partial<YamlLimits> = {}): YamlFile {
  const { bytesMax, depthMax, aliasesMax } = { ...LIMITS_DEFAULT, ...limits };
  if (Buffer.byteLength(text) > bytesMax) {
    const message = `The file is larger than ${bytesMax} bytes.`;
    return failed({ code: 'yaml_too_large', message });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: true,
    prettyErrors: false,
    // `silent` would also keep quiet about a second document.
    logLevel: 'error',
  });
  // The parser reports the end of its own recursion as if it were an error of the text.
  if (document.errors.some(({ message }) => /call stack/.test(message))) {
    return failed(tooDeep(depthMax));
  }
  const at = (offset: number): YamlPosition => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const positionOf: YamlFile['positionOf'] = (path, of = 'value') => at(locate(document, path, of));
  const syntax = syntaxProblems(document);
  const refused = syntax.length > 0 ? syntax : refusedNodes(document, { depthMax, aliasesMax });
  const findings = refused
    .slice(0, FINDINGS_MAX)
    .map(({ offset, code, message }) => ({ ...at(offset), code, message }));
  if (findings.length > 0) return { value: undefined, findings, positionOf };
  try {
    return { value: document.toJS({ maxAliasCount: aliasesMax }), findings, positionOf };
  } catch (error) {
    // Aliases of aliases, which would grow beyond all measure.
    if (!(error instanceof ReferenceError)) throw error;
    const message = 'The aliases of this file unfold into too much data.';
    return {
      value: undefined,
      findings: [{ ...START, code: 'yaml_aliases', message }],
      positionOf,
    };
  }
}

function failed(finding: Omit<YamlFinding, keyof YamlPosition>): YamlFile {
  return { value: undefined, findings: [{ ...START, ...finding }], positionOf: () => START };
}

interface Refusal {
  offset: number;
  code: string;
  message: string;
}

function syntaxProblems(document: Document): Refusal[] {
  // A tag that only draws a warning is found with its value below.
  const warnings = document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED');
  return [...document.errors, ...warnings].map((error) => {
    const isQuote = /^Missing closing ["']quote/.test(error.message);
    const quote = isQuote ? openQuote(document, error.pos[0]) : undefined;
    if (quote !== undefined) {
      const message = 'This is not valid YAML: the quote that opens here is never closed.';
      return { offset: quote, code: 'yaml_syntax', message };
    }
    return {
      offset: error.pos[0],
      code: error.code === 'TAG_RESOLVE_FAILED' ? 'yaml_tag' : 'yaml_syntax',
      message: `This is not valid YAML: ${(error.message.split('\n')[0] ?? error.code).replace(/[.:]+$/, '')}.`,
    };
  });
}

/**
 * Where the quoted text begins that has no end at an offset, which is where the parser says that its quote is missing: often
 * the end of the file.
 */
function openQuote(document: Document, end: number): number | undefined {
  let start: number | undefined;
  visit(document, {
    Scalar(_key, { type, range }) {
      const isQuoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      if (isQuoted && range?.[1] === end) start = range[0];
    },
  });
  return start;
}

function tooDeep(depthMax: number): { code: string; message: string } {
  return { code: 'yaml_depth', message: `The file is nested more than ${depthMax} levels deep.` };
}

function refusedNodes(
  document: Document,
  { depthMax, aliasesMax }: Pick<YamlLimits, 'depthMax' | 'aliasesMax'>,
): Refusal[] {
  const found: Refusal[] = [];
  const refuse = (node: unknown, code: string, message: string) =>
    found.push({ offset: startOf(node) ?? 0, code, message });
  let aliases = 0;
  visit(document, (_key, node, path) => {
    // A pair and a collection for each level.
    if (path.length > depthMax && depthOf(path) > depthMax) {
      found.push({ offset: startOf(node) ?? 0, ...tooDeep(depthMax) });
      return visit.BREAK;
    }
    if (isAlias(node)) {
      aliases += 1;
      const source = node.resolve(document);
      if (source === undefined || path.includes(source)) {
        refuse(node, 'yaml_aliases', `The alias *${node.source} stands inside of what it repeats.`);
      }
      if (aliases === aliasesMax + 1) {
        refuse(node, 'yaml_aliases', `The file has more than ${aliasesMax} aliases.`);
      }
    } else if (isNode(node) && node.tag !== undefined && !isCoreTag(node.tag)) {
      refuse(node, 'yaml_tag', `The tag ${node.tag} is not supported.`);
    } else if (isPair(node)) refuseKey(node, refuse);
    return undefined;
  });
  return found;
}

function depthOf(path: readonly unknown[]): number {
  return path.filter((one) => isMap(one) || isSeq(one)).length;
}

function refuseKey(
  pair: Pair,
  refuse: (node: unknown, code: string, message: string) => void,
): void {
  const key = isScalar(pair.key) ? pair.key.value : undefined;
  if (typeof key !== 'string') refuse(pair.key, 'yaml_key', 'A key must be text.');
  else if (key === '<<') refuse(pair.key, 'yaml_merge', 'Merge keys (<<) are not supported.');
  else if (key === '__proto__') refuse(pair.key, 'yaml_key', 'The key __proto__ is not allowed.');
}

/** What the core schema of YAML 1.2 gives by itself; every other tag asks for a custom type. */
function isCoreTag(tag: string): boolean {
  return /^tag:yaml\.org,2002:(map|seq|str|int|float|bool|null)$/.test(tag) || tag === '!';
}

/** The offset of the deepest node on the path that exists. */
function locate(document: Document, path: YamlPath, of: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    let key: unknown;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (pair === undefined) return offset;
      key = pair.key;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (node === undefined) return offset;
    } else return offset;
    const wantsKey = of === 'key' && index === path.length - 1;
    offset = (wantsKey ? startOf(key) : undefined) ?? startOf(node) ?? startOf(key) ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
