import type { Brand } from './brand.ts';
import { HallmarkError } from './errors.ts';

/** `sha256:<64 lower-case hex>`: OCI image-spec 1.1, descriptor, digest. */
export type Digest = Brand<string, 'Digest'>;
/** `md5+size[+hint…]`: the locator of one Keep block of at most 64 MiB. */
export type BlockLocator = Brand<string, 'BlockLocator'>;
/** `md5+length` of a manifest whose hints are stripped: the name of a collection's content. */
export type PortableDataHash = Brand<string, 'PortableDataHash'>;
/** `ccccc-tttttt-15 characters`: an Arvados object. */
export type Uuid = Brand<string, 'Uuid'>;

type IdErrorCode = 'id/bad-digest' | 'id/bad-locator';

const digestPattern = /^sha256:[0-9a-f]{64}$/;
const locatorPattern = /^[0-9a-f]{32}\+\d+(\+[A-Z][-A-Za-z0-9@_]*)*$/;
const pdhPattern = /^[0-9a-f]{32}\+\d+$/;
const uuidPattern = /^[0-9a-z]{5}-[0-9a-z]{5}-[0-9a-z]{15}$/;

export const isDigest = (text: string): text is Digest => digestPattern.test(text);
export const isBlockLocator = (text: string): text is BlockLocator => locatorPattern.test(text);
export const isPortableDataHash = (text: string): text is PortableDataHash => pdhPattern.test(text);
export const isUuid = (text: string): text is Uuid => uuidPattern.test(text);

function parser<Id extends string>(code: IdErrorCode, shape: string, is: (text: string) => text is Id) {
  return (text: string): Id => {
    if (is(text)) return text;
    throw new HallmarkError<IdErrorCode>(code, `expected ${shape}, got ${JSON.stringify(text.slice(0, 120))}`);
  };
}

export const toDigest = parser('id/bad-digest', 'a digest "sha256:<64 hex digits>"', isDigest);
export const toBlockLocator = parser('id/bad-locator', 'a block locator "<md5>+<size>"', isBlockLocator);

/** The infix of each Arvados object type (Arvados API, "Resource methods", UUID format). */
export const uuidInfix = {
  collection: '4zz18',
  container_request: 'xvhdp',
  container: 'dz642',
  link: 'o0j2j',
  log: '57u5n',
  workflow: '7fd4e',
  user: 'tpzed',
} as const;
