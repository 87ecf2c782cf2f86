/** The entries of a text that separates them by commas: long word lists stay readable and their diffs small. */
export function list(text: string): readonly string[] {
  return text.split(',').map((entry) => entry.trim());
}
