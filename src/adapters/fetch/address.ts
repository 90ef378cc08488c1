import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

const inner = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  inner.addSubnet(network, prefix, 'ipv4');
  // Mapped and translated forms reach the same hosts.
  inner.addSubnet(`::ffff:${network}`, 96 + prefix, 'ipv6');
  inner.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
}
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  inner.addSubnet(network, prefix, 'ipv6');
}

/** Whether an address is of this machine, a private network, a link or no single host (RFC 6890). */
export const isInnerAddress = (address: string): boolean => {
  const family = isIP(address);
  return family !== 0 && inner.check(address, family === 4 ? 'ipv4' : 'ipv6');
};

/** The host of a URL without the brackets of IPv6. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

export class InnerAddressError extends Error {}

/** Looks `hostname` up; inner addresses among the answers are an error, so that the address checked is the address used. */
export async function lookupOuter(hostname: string, family: 0 | 4 | 6): Promise<readonly LookupAddress[]> {
  const addresses = await lookup(hostname, { all: true, family });
  const found = addresses.find(({ address }) => isInnerAddress(address));
  if (found) throw new InnerAddressError(`${hostname} is ${found.address}, an address of a private network`);
  return addresses;
}
