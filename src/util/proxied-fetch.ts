/** What the environment says of proxies: addresses of them, and the hosts that are reached without one. */
export interface ProxySettings {
  /** For `https` addresses. */
  https?: string;
  /** As curl takes NO_PROXY: names, with what is below them, separated by commas; `*` for all. */
  except?: string;
}

type Fetch = typeof globalThis.fetch;

/**
 * The `fetch` of this process, or one that goes through a proxy to `https` addresses: Node's own knows of none. What is not TLS goes
 * straight, since a proxy would read it.
 */
export function proxiedFetch({ https, except }: ProxySettings): Fetch {
  if (https === undefined) return globalThis.fetch;
  let made: Promise<Fetch> | undefined;
  return async (input, init) => {
    made ??= throughProxy(https, except ?? '');
    return (await made)(input, init);
  };
}

/** Loaded only where there is a proxy. */
async function throughProxy(httpsProxy: string, noProxy: string): Promise<Fetch> {
  // Its names are those of the CommonJS module itself, bundled or not.
  const { EnvHttpProxyAgent, fetch } = (await import('undici')).default;
  const dispatcher = new EnvHttpProxyAgent({ httpProxy: '', httpsProxy, noProxy });
  // The same standard under two declarations.
  const through = fetch as unknown as (input: unknown, init: object) => Promise<Response>;
  return (input, init) => through(input, { ...init, dispatcher });
}
