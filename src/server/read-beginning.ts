/** Reads parts until they are all there or more than `charactersMax` are; what is left stays in the generator. */
export async function readBeginning(
  parts: AsyncGenerator<string>,
  charactersMax: number,
): Promise<{ text: string; isWhole: boolean }> {
  let text = '';
  while (text.length <= charactersMax) {
    const next = await parts.next();
    if (next.done) return { text, isWhole: true };
    text += next.value;
  }
  return { text, isWhole: false };
}

/** The beginning that was read, then the rest. */
export async function* continued(
  beginning: string,
  rest: AsyncGenerator<string>,
): AsyncGenerator<string, void, undefined> {
  try {
    yield beginning;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
