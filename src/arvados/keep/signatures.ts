import type { BlockLocator } from '../../core/ids.ts';
import { stripHints } from '../../keep/locator.ts';

/**
 * Locators as the cluster signed them for this process. It takes no others, but the rooms above work locators out by themselves where they
 * have the bytes.
 */
export interface Signatures {
  add(signed: BlockLocator): void;
  find(locator: BlockLocator): BlockLocator | undefined;
  /** The manifest with the signatures that are known. */
  sign(manifestText: string): string;
}

const keptSignatures = 100_000;

export function createSignatures(): Signatures {
  const known = new Map<string, BlockLocator>();
  const find = (locator: BlockLocator): BlockLocator | undefined => known.get(stripHints(locator));
  return {
    find,
    add(signed) {
      const [oldest] = known.keys();
      if (known.size >= keptSignatures && oldest !== undefined) known.delete(oldest);
      known.set(stripHints(signed), signed);
    },
    sign: (manifestText) =>
      manifestText.replaceAll(/(?<= )[0-9a-f]{32}\+\d+(?=[ \n])/g, (locator) => known.get(locator) ?? locator),
  };
}
