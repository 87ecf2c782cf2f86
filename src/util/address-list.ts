import { BlockList, isIP } from 'node:net';
import { VkitError } from '../errors/index.js';

/** Addresses and host names that a configuration lists. */
export interface AddressList {
  readonly isEmpty: boolean;
  /** Whether an address (without brackets) is in one of the listed networks; IPv4 in IPv6 (`::ffff:…`) counts as IPv4. */
  hasAddress(address: string): boolean;
  /** Whether a host is listed by this name, whatever it resolves to. */
  hasName(host: string): boolean;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/;
const MAPPED = new BlockList();
MAPPED.addSubnet('::ffff:0:0', 96, 'ipv6');

/**
 * Reads networks in CIDR form (RFC 4632: `10.0.0.0/8`, `fd00::/8`), single addresses and host names. Throws `config_invalid`
 * for anything else, which names the key.
 */
export function parseAddressList(entries: readonly string[], key: string): AddressList {
  const networks = new BlockList();
  const names = new Set<string>();
  for (const entry of entries) {
    const text = canonicalHost(entry);
    const [address = '', bits, ...rest] = text.split('/');
    const family = isIP(address);
    const bitsMax = family === 4 ? 32 : 128;
    const isNetwork = family !== 0 && rest.length === 0 && !address.includes('%');
    if (isNetwork && bits === undefined) networks.addAddress(address, familyName(family));
    else if (isNetwork && /^\d{1,3}$/.test(bits ?? '') && Number(bits) <= bitsMax)
      networks.addSubnet(address, Number(bits), familyName(family));
    // What ends in a number is an address that somebody mistyped: no host is called so (RFC 3696, section 2).
    else if (NAME.test(text) && !/(^|\.)\d+$/.test(text)) names.add(text);
    else {
      throw new VkitError(
        'config_invalid',
        `${key} has an entry that is neither a network, an address nor a host name: ${entry.slice(0, 64)}`,
        { hint: `Write networks as 10.0.0.0/8 or fd00::/8, and hosts as siem.internal.` },
      );
    }
  }
  return {
    isEmpty: entries.length === 0,
    hasAddress: (address) => isListed(networks, address),
    hasName: (host) => names.has(canonicalHost(host)),
  };
}

/** Whether an address is in a block list; one that cannot be read is in none. */
export function isListed(list: BlockList, address: string): boolean {
  const bare = withoutZone(address);
  const family = isIP(bare);
  return family !== 0 && list.check(bare, familyName(family));
}

/** Whether an IPv6 address stands for one of IPv4 (RFC 4291, section 2.5.5.2). */
export function isMapped(address: string): boolean {
  return isListed(MAPPED, address);
}

/** A host as it is compared: lower case, without the dot of the root and without the brackets of a URL. */
export function canonicalHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/(?<=.)\.$/, '');
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

function familyName(family: number): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6';
}
