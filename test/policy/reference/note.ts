/**
 * Told of everything the reference comes by, as a group and the parts of a cell in it (`operator`: `neq`, `undecided`,
 * `deny`), so that a test can say what its cases covered. It never changes an answer.
 */
export type Note = (group: string, ...cell: readonly string[]) => void;
