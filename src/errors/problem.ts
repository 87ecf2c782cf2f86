/**
 * One finding in a file or a body. `pointer` is a JSON Pointer (RFC 6901) into the document, `line`
 * and `column` start at 1, `code` is stable and for programs, `message` is a sentence for people and
 * `suggestion` says what to write instead.
 */
export type Problem = {
  pointer?: string;
  file?: string;
  line?: number;
  column?: number;
  code: string;
  message: string;
  suggestion?: string;
};

/** `file:line:column: message (code). suggestion`, with the parts that are known. */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined);
  const where = place.length > 0 ? place.join(':') : (problem.pointer ?? '');
  const head = where === '' ? '' : `${where}: `;
  const tail = problem.suggestion === undefined ? '' : ` ${problem.suggestion}`;
  return `${head}${problem.message} (${problem.code})${tail}`;
}
