import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { createMcpServer, type McpServerOptions } from './create-mcp-server.js';
import { pendingAnswers } from './pending-answers.js';

/** Characters of one message: more than the largest query. */
const MESSAGE_BYTES_MAX = 1_048_576;

/** How long calls may take that are under way when stdin ends. */
const DRAIN_MS = 30_000;

/**
 * Serves one requester over stdin and stdout, on which nothing but the protocol is written, until stdin ends and what was asked
 * before is answered, 30 s at most. What is no message is said on `complain`, without its text, and passed over.
 */
export async function serveStdio(
  options: McpServerOptions,
  complain: (message: string) => void,
): Promise<void> {
  const server = createMcpServer(options);
  const transport = new StdioServerTransport(process.stdin, process.stdout, {
    maxBufferSize: MESSAGE_BYTES_MAX,
  });
  const pending = pendingAnswers(transport);
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve);
    process.stdin.once('close', resolve);
  });
  const answered = ended.then(async () => {
    if (await pending.settled(DRAIN_MS)) return;
    complain(`Calls were still under way ${DRAIN_MS / 1000} s after stdin had ended.`);
  });
  server.onerror = () => complain('A message on stdin was not understood.');
  await server.connect(transport);
  // What closes it, a message that is too long say, leaves nothing to be answered.
  await Promise.race([closed, answered]);
  await server.close();
}
