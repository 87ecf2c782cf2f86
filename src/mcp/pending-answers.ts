import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';

/** The requests that came over a transport and have no answer yet. */
export interface PendingAnswers {
  /** Resolves when every one is answered or cancelled, or when so much time has passed: then with false. */
  settled(milliseconds: number): Promise<boolean>;
}

/** Follows what goes over a transport from here on; to be called before a server connects to it. */
export function pendingAnswers(transport: Transport): PendingAnswers {
  const open = new Set<RequestId>();
  let onNone = () => {};
  const close = (id: RequestId) => {
    open.delete(id);
    if (open.size === 0) onNone();
  };
  // A server that connects calls this first, and then its own.
  transport.onmessage = (message) => {
    if ('method' in message && 'id' in message) open.add(message.id);
    // What is cancelled is not answered.
    else if ('method' in message && message.method === 'notifications/cancelled') {
      close(message.params?.requestId as RequestId);
    }
  };
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    try {
      await send(message, options);
    } finally {
      if (!('method' in message) && message.id !== undefined) close(message.id);
    }
  };
  return {
    settled(milliseconds) {
      if (open.size === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), milliseconds);
        onNone = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });
    },
  };
}
