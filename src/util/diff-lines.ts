/** The table of common lines grows with the product of both texts; longer ones are shown whole. */
const LINES_MAX = 2_000;

/** All lines of both texts, each behind `- `, `+ ` or two spaces; empty where they are equal. */
export function diffLines(before: string, after: string): string {
  if (before === after) return '';
  const [a, b] = [toLines(before), toLines(after)];
  if (a.length > LINES_MAX || b.length > LINES_MAX) {
    return [...a.map((line) => `- ${line}`), ...b.map((line) => `+ ${line}`)].join('\n');
  }
  const common = commonLengths(a, b);
  const result: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      result.push(`  ${a[i]}`);
      i += 1;
      j += 1;
    } else if (i < a.length && (j === b.length || at(common, i + 1, j) >= at(common, i, j + 1))) {
      result.push(`- ${a[i]}`);
      i += 1;
    } else {
      result.push(`+ ${b[j]}`);
      j += 1;
    }
  }
  return result.join('\n');
}

/** `common[i][j]`: the longest common subsequence of the lines from `i` and from `j`. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint16Array[] {
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = common[i];
      if (row === undefined) continue;
      row[j] =
        a[i] === b[j]
          ? at(common, i + 1, j + 1) + 1
          : Math.max(at(common, i + 1, j), at(common, i, j + 1));
    }
  }
  return common;
}

function at(table: readonly Uint16Array[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}

function toLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
