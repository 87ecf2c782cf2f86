import type { VkitError } from '../errors/index.js';
import type { Sandbox } from './contract.js';
import type { ServerSettings } from './server-settings.js';

/** How an engine of servers makes and drops a place of its own; errors are its package's. */
export interface SandboxProtocol<Client> {
  settings: Pick<ServerSettings, 'ssl' | 'sslMode'>;
  connect(ssl: ServerSettings['ssl']): Promise<Client>;
  isTlsRefused(error: unknown): boolean;
  run(client: Client, sql: string): Promise<void>;
  /** Never fails, also on a connection that is lost. */
  close(client: Client): Promise<void>;
  translate(error: unknown): VkitError;
  /** Makes the place and puts the connection into it. */
  make: string;
  /** Drops the place where there is one. */
  drop: string;
  /** The error to throw where the login may not make the place; `undefined` for another error. */
  notAllowed(error: unknown): VkitError | undefined;
}

/** Makes a new place on a server, with the given login. */
export async function createServerSandbox<Client>(
  protocol: SandboxProtocol<Client>,
): Promise<Sandbox> {
  const { translate } = protocol;
  let client: Client | undefined = await open(protocol);
  try {
    await protocol.run(client, protocol.make);
  } catch (error) {
    await protocol.close(client);
    throw protocol.notAllowed(error) ?? translate(error);
  }
  return {
    async run(script) {
      if (client === undefined) return;
      await protocol.run(client, script).catch((error) => {
        throw translate(error);
      });
    },
    async drop() {
      if (client === undefined) return;
      const held = client;
      client = undefined;
      try {
        await protocol.run(held, protocol.drop);
      } catch {
        // The connection may have been lost on the way: what it left behind is removed by another one.
        const other = await open(protocol);
        try {
          await protocol.run(other, protocol.drop);
        } catch (error) {
          throw translate(error);
        } finally {
          await protocol.close(other);
        }
      } finally {
        await protocol.close(held);
      }
    },
  };
}

async function open<Client>(protocol: SandboxProtocol<Client>): Promise<Client> {
  const { ssl, sslMode } = protocol.settings;
  try {
    return await protocol.connect(ssl).catch((error) => {
      if (sslMode !== 'prefer' || !protocol.isTlsRefused(error)) throw error;
      return protocol.connect(false);
    });
  } catch (error) {
    throw protocol.translate(error);
  }
}
