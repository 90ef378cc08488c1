import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { BlockLocator } from '../../core/ids.ts';
import { blockMd5, stripHints } from '../locator.ts';

/**
 * Where things are. `<3 hex>/<md5>` is what keepstore's `Directory` volume reads; it passes over the other folders.
 */
export interface Layout {
  readonly directory: string;
  /** `whole/<id>`: files of more than one block; `id` is made of the blocks, so that equal content has one place. */
  readonly whole: string;
  /** `index/<3 hex>/<md5>`: which whole file holds a block that has no file of its own. */
  readonly index: string;
  /** `tmp/<writer>/…`: what live processes are writing. */
  readonly tmp: string;
  /** `known/<device>-<inode>`: blocks of the user's own files, by the state they were read in. */
  readonly known: string;
  /** `damaged/…`: files whose bytes no longer fit their names. */
  readonly damaged: string;
  /** `trees/<portable data hash>`: checkouts. */
  readonly trees: string;
  /** `collecting/<writer>`: there while that process takes what is unused. */
  readonly collecting: string;
}

export function toLayout(directory: string): Layout {
  const at = (name: string) => join(directory, name);
  return {
    directory,
    whole: at('whole'),
    index: at('index'),
    tmp: at('tmp'),
    known: at('known'),
    damaged: at('damaged'),
    trees: at('trees'),
    collecting: at('collecting'),
  };
}

/** Where the block of this md5 has its own file. */
export function blockPath(layout: Layout, md5: string): string {
  return join(layout.directory, md5.slice(0, 3), md5);
}

/** Where it is noted which whole file holds the block of this md5. */
export function indexPath(layout: Layout, md5: string): string {
  return join(layout.index, md5.slice(0, 3), md5);
}

/** Where the file of these blocks, in this order, lies. */
export function wholePath(layout: Layout, locators: readonly BlockLocator[]): string {
  return join(layout.whole, hash('md5', locators.map(stripHints).join(' '), 'hex'));
}

export const ownPath = (layout: Layout, locator: BlockLocator) => blockPath(layout, blockMd5(locator));
