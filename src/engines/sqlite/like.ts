/** One step of a LIKE pattern: any run of characters, any one character, or this very one. */
type Step = { any: 'run' | 'one' } | { character: string };

/**
 * LIKE by code point and case-sensitive: `%` is any run of characters, `_` any one, and a backslash takes the special
 * meaning from the next. It goes back to the last `%` only, so the time is at most the product of the two lengths. A
 * backslash at the end matches nothing; plans refuse it before.
 */
export function matchesLike(text: string, pattern: string): boolean {
  const steps = parsePattern(pattern);
  if (steps === undefined) return false;
  const characters = [...text];
  let at = 0;
  let step = 0;
  let runStep = -1;
  let runAt = 0;
  while (at < characters.length) {
    const current = steps[step];
    if (current !== undefined && 'any' in current && current.any === 'run') {
      runStep = step;
      runAt = at;
      step += 1;
    } else if (current !== undefined && matchesOne(current, characters[at])) {
      at += 1;
      step += 1;
    } else if (runStep >= 0) {
      runAt += 1;
      at = runAt;
      step = runStep + 1;
    } else {
      return false;
    }
  }
  return steps.slice(step).every((rest) => 'any' in rest && rest.any === 'run');
}

function matchesOne(step: Step, character: string | undefined): boolean {
  return 'any' in step ? step.any === 'one' : step.character === character;
}

function parsePattern(pattern: string): Step[] | undefined {
  const steps: Step[] = [];
  let escaped = false;
  for (const character of pattern) {
    if (escaped) steps.push({ character });
    else if (character === '%') steps.push({ any: 'run' });
    else if (character === '_') steps.push({ any: 'one' });
    else if (character !== '\\') steps.push({ character });
    escaped = !escaped && character === '\\';
  }
  return escaped ? undefined : steps;
}
