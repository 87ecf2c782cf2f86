/** Counts, for every cell that the cases must reach, in how many of them it was. */
export class AqlCoverage {
  private readonly counts = new Map<string, number>();
  private readonly ofCase = new Set<string>();
  private readonly expected: ReadonlySet<string>;

  constructor(cells: readonly string[]) {
    this.expected = new Set(cells);
  }

  readonly note = (...cell: readonly string[]): void => {
    this.ofCase.add(cell.join(' / '));
  };

  /** Ends a case: what was noted since the last is counted once. */
  endCase(): void {
    for (const cell of this.ofCase) this.counts.set(cell, (this.counts.get(cell) ?? 0) + 1);
    this.ofCase.clear();
  }

  countOf(...cell: readonly string[]): number {
    return this.counts.get(cell.join(' / ')) ?? 0;
  }

  /** Cells that no case reached. */
  get missing(): readonly string[] {
    return [...this.expected].filter((cell) => !this.counts.has(cell));
  }

  /** Cells that cases reached and nobody counted on. */
  get unexpected(): readonly string[] {
    return [...this.counts.keys()].filter((cell) => !this.expected.has(cell));
  }

  /** A line for each clause and operator: its cells, the fewest cases of one of them, and the most. */
  table(): string {
    const lines = new Map<string, { counts: number[]; rarest: string }>();
    for (const cell of this.expected) {
      const parts = cell.split(' / ');
      const line = parts.slice(0, parts.length > 3 ? 2 : 1).join(' / ');
      const { counts, rarest } = lines.get(line) ?? { counts: [], rarest: cell };
      const isRarer = this.countOf(cell) < this.countOf(rarest);
      lines.set(line, {
        counts: [...counts, this.countOf(cell)],
        rarest: isRarer ? cell : rarest,
      });
    }
    return [...lines]
      .map(([line, { counts, rarest }]) => {
        const range = `${Math.min(...counts)} to ${Math.max(...counts)}`;
        return `  ${line}: ${counts.length} cells, ${range} cases each, fewest ${rarest}\n`;
      })
      .join('');
  }
}
