import { VkitError } from '../errors/index.js';
import type { Credentials } from './contract.js';

export type ParsedUrl = { config: Record<string, unknown>; credentials: Credentials };

/** What the URLs of one engine look like. */
export interface UrlSyntax {
  /** For messages: `The PostgreSQL URL …`. */
  product: string;
  /** With their colon, as `URL.protocol` has them. */
  protocols: readonly [string, string];
  port: number;
  example: string;
  /** A parameter (the engine's own name or the configuration's) and how it becomes configuration. */
  parameters: Readonly<Record<string, ReadParameter>>;
}

/** Throws through `refuse`, which says what the URL has that it should not have. */
export type ReadParameter = (
  value: string,
  refuse: (why: string) => VkitError,
) => [name: string, value: unknown];

/**
 * Reads a URL of one host. Throws `invalid_input`; the message never repeats a part of the URL that could hold the
 * password.
 */
export function parseServerUrl(text: string, syntax: UrlSyntax): ParsedUrl {
  const refuse = (why: string) =>
    new VkitError('invalid_input', `The ${syntax.product} URL ${why}.`, {
      hint: `Write ${syntax.example}.`,
    });
  const decode = (encoded: string, part: string): string => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      // Without a cause: Node's error repeats its input.
      throw refuse(`has a % in its ${part} that is not written %25`);
    }
  };
  if (!URL.canParse(text)) throw refuse('cannot be read; write %2F for / in a password');
  const url = new URL(text);
  if (!syntax.protocols.includes(url.protocol)) {
    throw refuse(
      `begins with neither ${syntax.protocols.map((name) => `${name}//`).join(' nor ')}`,
    );
  }
  const database = decode(url.pathname.replace(/^\//, ''), 'database');
  const host = decode(url.hostname, 'host').replace(/^\[(.*)\]$/, '$1');
  if (database === '') throw refuse('names no database');
  if (host === '') throw refuse('names no host');
  const port = url.port === '' ? syntax.port : Number(url.port);
  const config: Record<string, unknown> = { host, port, database };
  for (const [name, value] of url.searchParams) {
    const read = Object.hasOwn(syntax.parameters, name) ? syntax.parameters[name] : undefined;
    if (!read) {
      throw refuse(`has a parameter other than ${Object.keys(syntax.parameters).join(', ')}`);
    }
    const [key, setting] = read(value, refuse);
    config[key] = setting;
  }
  const credentials: Credentials = {};
  if (url.username !== '') credentials.username = decode(url.username, 'username');
  if (url.password !== '') credentials.password = decode(url.password, 'password');
  return { config, credentials };
}

/** A parameter of fixed values; `values` maps each, as it is spelled, to the configuration's. */
export function choice(
  key: string,
  name: string,
  values: Readonly<Record<string, string>>,
): ReadParameter {
  return (value, refuse) => {
    if (!Object.hasOwn(values, value)) {
      throw refuse(`has a ${name} other than ${Object.keys(values).join(', ')}`);
    }
    return [key, values[value]];
  };
}

export function wholeSeconds(key: string): ReadParameter {
  return (value, refuse) => {
    if (!/^[1-9]\d{0,3}$/.test(value)) throw refuse(`has a ${key} of no whole seconds`);
    return [key, Number(value)];
  };
}

export function text(key: string): ReadParameter {
  return (value) => [key, value];
}
