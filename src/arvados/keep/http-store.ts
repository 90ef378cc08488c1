import { createLimiter } from '../../core/concurrency.ts';
import type { BlockLocator } from '../../core/ids.ts';
import { missingError, tooLargeError } from '../../keep/block-errors.ts';
import { keepError } from '../../keep/errors.ts';
import { blockMd5, emptyBlockLocator, stripHints, toLocator } from '../../keep/locator.ts';
import { type BlockStore, maxBlockBytes } from '../../keep/port.ts';
import { type Retry, withRetries } from '../retry.ts';
import { type KeepService, sortServices } from './services.ts';
import type { Signatures } from './signatures.ts';
import { type Failure, lookAt, readFrom, type Transfer, writeTo } from './transfer.ts';

export interface HttpKeepOptions extends Transfer {
  /** Asked once: the services that this machine can reach. */
  readonly services: () => Promise<readonly KeepService[]>;
  /** Of each block. */
  readonly copies: number;
  readonly retry: Retry;
  /** Gets those of what is written. */
  readonly signatures: Signatures;
}

/** Blocks on their way at once: each holds up to 64 MiB of memory. */
const blocksAtOnce = 4;

/**
 * Keep over HTTP. Locators come back signed and are to be kept so: the cluster takes no others. A block is looked for on every
 * service in its own order, with its hints, so that `+R` is fetched from where it lies; its bytes are checked.
 * Fails with `keep/block-missing`, `keep/block-damaged`, `keep/store-failed` and `api/not-authorized`.
 */
export function createHttpKeep(options: HttpKeepOptions): BlockStore {
  const limited = createLimiter(blocksAtOnce);
  let known: Promise<readonly KeepService[]> | undefined;
  const services = async (md5: string): Promise<KeepService[]> => {
    known ??= options.services();
    known.catch(() => {
      known = undefined;
    });
    return sortServices(await known, md5);
  };
  return {
    async read(locator, signal) {
      signal?.throwIfAborted();
      if (stripHints(locator) === emptyBlockLocator) return new Uint8Array(0);
      const sorted = await services(blockMd5(locator));
      return limited(() => withRetries(options.retry, () => readAnywhere(options, sorted, locator, signal), signal));
    },
    async write(data) {
      if (data.length > maxBlockBytes) throw tooLargeError(data.length);
      if (data.length === 0) return emptyBlockLocator;
      const locator = toLocator(data);
      const sorted = (await services(blockMd5(locator))).filter(({ readOnly }) => !readOnly);
      const signed = await limited(() => store(options, sorted, { locator, data }));
      options.signatures.add(signed);
      return signed;
    },
    async has(locator) {
      if (stripHints(locator) === emptyBlockLocator) return true;
      const sorted = await services(blockMd5(locator));
      return withRetries(options.retry, () => isAnywhere(options, sorted, locator));
    },
  };
}

async function readAnywhere(
  options: HttpKeepOptions,
  services: readonly KeepService[],
  locator: BlockLocator,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const failures: Failure[] = [];
  for (const service of services) {
    const outcome = await readFrom(options, service, locator, signal);
    if (outcome.kind === 'read') return outcome.data;
    failures.push(outcome);
  }
  throw readError(locator, failures);
}

function readError(locator: BlockLocator, failures: readonly Failure[]) {
  const isTemporary = failures.some(({ reason }) => reason === 'temporary');
  const damaged = failures.find(({ reason }) => reason === 'damaged');
  if (damaged && !isTemporary) {
    return keepError('keep/block-damaged', `block is damaged: ${damaged.message} from ${damaged.service.root}`, {
      hint: 'its copy on that server has changed: tell who runs it, or run what made it again',
    });
  }
  if (failures.every(({ reason }) => reason === 'absent')) return missingError(locator);
  return keepError('keep/store-failed', `cannot read block ${stripHints(locator)}: ${describe(failures)}`, {
    retryable: isTemporary,
    ...(isTemporary
      ? {}
      : { hint: 'where it says that the signature has expired, run again: new ones come with the records' }),
  });
}

/** Until enough copies are acknowledged; what was stored by one attempt counts for the next. */
async function store(
  options: HttpKeepOptions,
  services: readonly KeepService[],
  block: { readonly locator: BlockLocator; readonly data: Uint8Array },
): Promise<BlockLocator> {
  let stored = 0;
  let signed: BlockLocator = block.locator;
  let left = [...services];
  const storeOnce = async (): Promise<BlockLocator> => {
    const failures: Failure[] = [];
    while (stored < options.copies && left.length > 0) {
      const missing = options.copies - stored;
      const next = left.splice(0, left[0]?.isProxy ? 1 : missing);
      for (const outcome of await Promise.all(
        next.map((service) => writeTo(options, service, { ...block, copies: missing })),
      )) {
        if (outcome.kind === 'failed') failures.push(outcome);
        else {
          stored += outcome.replicas;
          signed = outcome.locator;
        }
      }
    }
    if (stored >= options.copies) return signed;
    left = failures.filter(({ reason }) => reason === 'temporary').map(({ service }) => service);
    throw keepError(
      'keep/store-failed',
      `cannot store block ${block.locator}: expected ${options.copies} copies, got ${stored}: ${describe(failures)}`,
      { retryable: left.length > 0, hint: 'the services of Keep are full, down or cannot be reached from here' },
    );
  };
  return withRetries(options.retry, storeOnce);
}

async function isAnywhere(
  options: HttpKeepOptions,
  services: readonly KeepService[],
  locator: BlockLocator,
): Promise<boolean> {
  const failures: Failure[] = [];
  for (const service of services) {
    const outcome = await lookAt(options, service, locator);
    if (outcome.kind === 'found') return true;
    failures.push(outcome);
  }
  if (!failures.some(({ reason }) => reason === 'temporary')) return false;
  throw keepError('keep/store-failed', `cannot look for block ${stripHints(locator)}: ${describe(failures)}`, {
    retryable: true,
  });
}

const describe = (failures: readonly Failure[]): string =>
  [...new Set(failures.map(({ message }) => message))].join('; ') || 'no keep service can be reached from here';
