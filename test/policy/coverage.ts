import { CELLS, nameOfCell } from './coverage-cells.js';
import type { Note } from './reference/note.js';

/** Counts, for every cell that the cases must reach, in how many of them it was. */
export class Coverage {
  private readonly counts = new Map<string, number>();
  private readonly ofCase = new Set<string>();

  readonly note: Note = (group, ...cell) => {
    this.ofCase.add(nameOfCell(group, cell));
  };

  /** Ends a case: what was noted since the last is counted once. */
  endCase(): void {
    for (const cell of this.ofCase) this.counts.set(cell, (this.counts.get(cell) ?? 0) + 1);
    this.ofCase.clear();
  }

  /** Cells that no case reached. */
  get missing(): readonly string[] {
    return [...CELLS].filter((cell) => !this.counts.has(cell));
  }

  /** Cells that cases reached and nobody counted on. */
  get unexpected(): readonly string[] {
    return [...this.counts.keys()].filter((cell) => !CELLS.has(cell));
  }

  /** The number of cases of every cell; cells that differ in their last part alone share a line. */
  table(): string {
    const lines = new Map<string, string[]>();
    for (const cell of CELLS) {
      const end = Math.max(cell.lastIndexOf(': ') + 2, cell.lastIndexOf(' / ') + 3);
      const line = cell.slice(0, end);
      const entry = `${cell.slice(end)} ${this.counts.get(cell) ?? 0}`;
      lines.set(line, [...(lines.get(line) ?? []), entry]);
    }
    return [...lines].map(([line, entries]) => `  ${line}${entries.join(', ')}\n`).join('');
  }
}
