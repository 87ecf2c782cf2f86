/** Of a terminal that does not say how wide it is. */
const WIDTH_DEFAULT = 100;

/** The columns of a terminal; null of what is none, where a line may be as long as it is. */
export function terminalWidth(stream: NodeJS.WriteStream = process.stdout): number | null {
  if (!stream.isTTY) return null;
  return stream.columns > 0 ? stream.columns : WIDTH_DEFAULT;
}
