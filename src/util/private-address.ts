import { BlockList, isIP } from 'node:net';
import { isListed, isMapped } from './address-list.js';

/** What of IPv4 is not a public host: IANA's special-purpose registry (RFC 6890), multicast and what is reserved. */
const SPECIAL_IPV4 = subnets('ipv4', [
  '0.0.0.0/8', // this network; Linux takes 0.0.0.0 for itself
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT (RFC 6598)
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, and the metadata of clouds
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);

/** All public hosts of IPv6 are in here (RFC 4291): not unique local addresses, not link-local ones, not NAT64. */
const GLOBAL_IPV6 = subnets('ipv6', ['2000::/3']);

/** What within is none, or leads to an IPv4 address. */
const SPECIAL_IPV6 = subnets('ipv6', [
  '2001::/23', // Teredo and other protocols (RFC 2928)
  '2001:db8::/32',
  '2002::/16', // 6to4
  '3fff::/20',
]);

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Where no name ought to lead, whatever it promised: the machine's neighbours on the wire, many hosts at once, nowhere. */
const NEVER_BY_NAME = new BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  NEVER_BY_NAME.addSubnet(address, bits, 'ipv4');
}
for (const [address, bits] of [
  ['::', 96],
  ['64:ff9b::', 96], // NAT64: any address of IPv4
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128], // the metadata of Amazon's machines
] as const) {
  NEVER_BY_NAME.addSubnet(address, bits, 'ipv6');
}

/** Whether an address is anything but a public host. What cannot be read as an address is private. */
export function isPrivateAddress(address: string): boolean {
  if (isIP(address) === 4 || isMapped(address)) return isListed(SPECIAL_IPV4, address);
  return !isListed(GLOBAL_IPV6, address) || isListed(SPECIAL_IPV6, address);
}

/** Whether an address is this machine itself. */
export function isLoopbackAddress(address: string): boolean {
  return isListed(LOOPBACK, address);
}

/** Whether an address is one that only a network named as such may open, not a host that resolves to it. */
export function isNeverByName(address: string): boolean {
  return isListed(NEVER_BY_NAME, address);
}

function subnets(family: 'ipv4' | 'ipv6', networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}
