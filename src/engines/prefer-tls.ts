import type { ServerSettings } from './server-settings.js';

/** A pool of a package, which is thrown away when its connections turn out not to be the ones wanted. */
interface Closable {
  end(): Promise<void>;
}

/**
 * The pool of a server's connections. With `prefer`, a server that offers no TLS is used without, from its first refusal on;
 * any other failure is thrown, so that nobody in between can take the encryption away by breaking it.
 */
export function preferTls<Pool extends Closable>(
  { sslMode, ssl: wanted }: Pick<ServerSettings, 'sslMode' | 'ssl'>,
  open: (ssl: ServerSettings['ssl']) => Pool,
  isRefusal: (error: unknown) => boolean,
) {
  let ssl = wanted;
  let pool = open(ssl);
  return {
    /** What connections beside the pool use. */
    ssl: () => ssl,
    async use<T>(connect: (pool: Pool) => Promise<T>): Promise<T> {
      const used = pool;
      try {
        return await connect(used);
      } catch (error) {
        // Whoever still waited at a pool that was thrown away asks the new one.
        if (used === pool) {
          if (sslMode !== 'prefer' || !isRefusal(error)) throw error;
          ssl = false;
          pool = open(ssl);
          await used.end();
        }
        return await connect(pool);
      }
    },
    end: () => pool.end(),
  };
}
