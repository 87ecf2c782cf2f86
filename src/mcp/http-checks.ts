import type { IncomingMessage } from 'node:http';

export interface HttpPlaces {
  /** Host names, in lower case, under which this server may be called. */
  hosts: readonly string[];
  /** Origins (`https://app.example.com`) whose pages may call it, beside none. */
  origins: readonly string[];
}

export interface Refusal {
  status: 401 | 403 | 421;
  message: string;
}

/** Names of the machine itself: a name that somebody else's DNS resolves to it is not among them. */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Why a call is refused before anything of it is read: it names a host that is not this one (DNS rebinding), or comes from
 * a page of an origin that is not allowed; null where it may go on. Programs send no Origin, browsers always do.
 */
export function refusalOf(request: IncomingMessage, places: HttpPlaces): Refusal | null {
  const host = hostOf(request.headers.host);
  if (host === null || !places.hosts.includes(host)) {
    return { status: 421, message: 'This server is not called by that name.' };
  }
  const { origin } = request.headers;
  if (origin !== undefined && !places.origins.includes(origin.toLowerCase())) {
    return { status: 403, message: 'Pages of this origin may not call this server.' };
  }
  return null;
}

const TOKEN = /^Bearer ([A-Za-z0-9._~+/=-]{1,512})$/i;

/** The bearer token of a call; null for none. */
export function bearerToken(request: IncomingMessage): string | null {
  return TOKEN.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

/** The host's name without its port, in lower case. */
function hostOf(header: string | undefined): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(header ?? '');
  return match?.[1]?.toLowerCase() ?? null;
}
