import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { createMcpServer, type McpServerOptions } from './create-mcp-server.js';

/** Characters of one message: more than the largest query. */
const MESSAGE_BYTES_MAX = 1_048_576;

/**
 * Serves one requester over stdin and stdout, on which nothing but the protocol is written, until stdin ends. What is no
 * message is said on `complain`, without its text, and passed over.
 */
export async function serveStdio(
  options: McpServerOptions,
  complain: (message: string) => void,
): Promise<void> {
  const server = createMcpServer(options);
  const transport = new StdioServerTransport(process.stdin, process.stdout, {
    maxBufferSize: MESSAGE_BYTES_MAX,
  });
  const ended = new Promise<void>((resolve) => {
    server.onclose = resolve;
    process.stdin.once('end', resolve);
    process.stdin.once('close', resolve);
  });
  server.onerror = () => complain('A message on stdin was not understood.');
  await server.connect(transport);
  await ended;
  await server.close();
}
