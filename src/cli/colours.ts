import { Chalk, type ChalkInstance, supportsColor, supportsColorStderr } from 'chalk';
import { readEnvironment } from '../config/env.js';

/**
 * Colours for one of the process's streams: none when NO_COLOR is set or the stream is no terminal,
 * whatever else the environment says (FORCE_COLOR in a pipe would put codes into data).
 */
export function coloursFor(stream: NodeJS.WriteStream): ChalkInstance {
  const support = stream === process.stderr ? supportsColorStderr : supportsColor;
  const level = stream.isTTY && !readEnvironment().noColor && support ? support.level : 0;
  return new Chalk({ level });
}
