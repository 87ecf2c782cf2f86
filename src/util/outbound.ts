import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction, Socket } from 'node:net';
import { VkitError } from '../errors/index.js';
import { type AddressList, canonicalHost } from './address-list.js';
import { isLoopbackAddress, isNeverByName, isPrivateAddress } from './private-address.js';

/** Which addresses may be dialled. */
export interface AddressRules {
  /** Why a host may not be dialled at an address it has, with the code `address_refused`; null where it may. */
  refusal(host: string, address: string): Error | null;
}

/** Finds the addresses of a name. */
export type Resolve = (
  host: string,
  family: 0 | 4 | 6,
) => Promise<readonly { address: string; family: number }[]>;

const resolveBySystem: Resolve = (host, family) => systemLookup(host, { all: true, family });

/** How the configuration calls what it consents to. */
const CONSENT = 'private_addresses';

/**
 * The rules of what the server itself calls: public addresses, what is consented to, and this machine where the host says so
 * itself (`localhost`, 127.0.0.1). A network of the consent opens every address in it. A host name opens what it resolves
 * to, but never a link-local, multicast or unspecified address, where metadata of clouds is.
 */
export function outboundRules(consented: AddressList): AddressRules {
  return {
    refusal(host, address) {
      if (isLoopbackHost(host)) {
        return isLoopbackAddress(address) ? null : refused(host, 'which is not this machine');
      }
      if (!isPrivateAddress(address) || consented.hasAddress(address)) return null;
      if (consented.hasName(host) && !isNeverByName(address)) return null;
      return refused(host, 'which is not a public address');
    },
  };
}

/**
 * The rules where only what is listed is dialled: a network opens every address in it, a host name what it resolves to, but
 * never a link-local, multicast or unspecified address. Not even this machine is open by itself.
 */
export function listedRules(listed: AddressList, key: string): AddressRules {
  return {
    refusal(host, address) {
      if (listed.hasAddress(address)) return null;
      if (listed.hasName(host) && !isNeverByName(address)) return null;
      // For whoever opened the connection to say more of: a driver's error like others.
      const error = new Error(`${canonicalHost(host).slice(0, 255)} is not one of ${key}.`);
      return Object.assign(error, { code: 'address_refused' });
    },
  };
}

function refused(host: string, why: string): VkitError {
  const shown = canonicalHost(host).slice(0, 255);
  return new VkitError('address_refused', `${shown} leads to an address ${why}.`, {
    hint: `If that is meant, let whoever runs the server list its network or its host name under ${CONSENT} in vkit.server.yaml.`,
  });
}

/** Whether a host is this machine by its own words. */
export function isLoopbackHost(host: string): boolean {
  const name = canonicalHost(host);
  return name === 'localhost' || (isIP(name) !== 0 && isLoopbackAddress(name));
}

/**
 * An address of the configuration that the server is to call: https, or http to this machine. Throws `config_invalid` that
 * names the key and never repeats the text, which may hold a secret. A name is looked up only when it is dialled.
 */
export function checkOutboundUrl(text: string, key: string, rules: AddressRules): URL {
  const wrong = (why: string, hint: string) =>
    new VkitError('config_invalid', `The address of ${key} ${why}.`, { hint });
  if (!URL.canParse(text)) {
    throw wrong('cannot be read', 'Write it as https://HOST/PATH.');
  }
  const url = new URL(text);
  const isClear = url.protocol === 'http:' && isLoopbackHost(url.hostname);
  if (url.protocol !== 'https:' && !isClear) {
    throw wrong('is not https', 'Write https://; http:// is for 127.0.0.1 and localhost alone.');
  }
  if (url.username !== '' || url.password !== '') {
    throw wrong('holds a login', 'Leave out what stands before the @.');
  }
  if (url.hash !== '') throw wrong('has a fragment', 'Leave out the # and what follows.');
  const host = canonicalHost(url.hostname);
  const refusal = isIP(host) === 0 ? null : rules.refusal(host, host);
  if (refusal) {
    throw wrong('is not a public address', `List its network under ${CONSENT} if that is meant.`);
  }
  return url;
}

/**
 * A `lookup` for `net.connect` and what is built on it: the addresses that it gives are the ones that are dialled, so nothing can
 * change between the check and the connection. One address that is refused refuses the name. Node does not ask it
 * for hosts that are addresses themselves: those are for `checkDialled`.
 */
export function guardedLookup(rules: AddressRules, resolve: Resolve = resolveBySystem) {
  const lookup: LookupFunction = (host, options, callback) => {
    const family = options.family === 4 || options.family === 'IPv4' ? 4 : undefined;
    const wanted = family ?? (options.family === 6 || options.family === 'IPv6' ? 6 : 0);
    resolve(host, wanted).then(
      (found) => {
        const [first] = found;
        const refusal = found.map(({ address }) => rules.refusal(host, address)).find(Boolean);
        if (refusal || !first) callback(refusal ?? notFound(host), '', 0);
        else if (options.all) callback(null, [...found]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
  return lookup;
}

/** Throws `address_refused` for a host that is an address itself and may not be dialled. */
export function checkDialled(host: string, rules: AddressRules): void {
  const address = canonicalHost(host);
  const refusal = isIP(address) === 0 ? null : rules.refusal(address, address);
  if (refusal) throw refusal;
}

/** Opens a TCP connection under the rules; a refusal is the error of the socket, as a failed connection is. */
export function dial(
  { host, port }: { host: string; port: number },
  rules: AddressRules,
  resolve?: Resolve,
): Socket {
  return new GuardedSocket(rules, resolve).connect(port, host);
}

/**
 * A socket that `connect(port, host)` opens under the rules, for packages that call that themselves. A path, which is a socket of
 * this machine, counts as 127.0.0.1.
 */
export class GuardedSocket extends Socket {
  readonly #rules: AddressRules;
  readonly #resolve: Resolve | undefined;

  constructor(rules: AddressRules, resolve?: Resolve) {
    super();
    this.#rules = rules;
    this.#resolve = resolve;
  }

  override connect(...args: unknown[]): this {
    const [to, host] = args;
    const isPath = typeof to === 'string';
    try {
      if (!isPath && (typeof to !== 'number' || typeof host !== 'string')) {
        throw new TypeError('Only a port and a host, or a path, are dialled under rules.');
      }
      checkDialled(isPath ? LOOPBACK_ADDRESS : String(host), this.#rules);
    } catch (error) {
      process.nextTick(() => this.destroy(error as Error));
      return this;
    }
    if (isPath) return super.connect({ path: to });
    return super.connect({
      port: Number(to),
      host: canonicalHost(String(host)),
      lookup: guardedLookup(this.#rules, this.#resolve),
    });
  }
}

const LOOPBACK_ADDRESS = '127.0.0.1';

function notFound(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} has no address.`), { code: 'ENOTFOUND' });
}
