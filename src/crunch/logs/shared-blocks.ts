import type { BlockLocator } from '../../core/ids.ts';
import type { BlockStore } from '../../keep/port.ts';

/** Where some bytes lie in a block, which they may share with others. */
export interface BlockPart {
  readonly locator: BlockLocator;
  readonly offset: number;
}

/** Stores few bytes. Who comes soon after another waits a moment, for a block in common with those that come meanwhile. */
export interface SharedBlocks {
  /** Somebody is going to write, and others may wait for that. Returns the call that says: no longer. */
  enter(): () => void;
  write(content: Uint8Array): Promise<BlockPart>;
}

/** Steps that take longer than this, one after the other, never wait. */
const pauseMs = 25;
/** Nobody waits beside as many. */
const mostWaiting = 16;

interface Waiting {
  readonly content: Uint8Array;
  readonly resolve: (part: Promise<BlockPart>) => void;
}

export function createSharedBlocks(blocks: Pick<BlockStore, 'write'>): SharedBlocks {
  let writers = 0;
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  const store = () => {
    const together = waiting;
    waiting = [];
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      if (waiting.length > 0) store();
    }, pauseMs);
    timer.unref();
    const stored = blocks.write(Buffer.concat(together.map(({ content }) => content)));
    let offset = 0;
    for (const { content, resolve } of together) {
      const start = offset;
      offset += content.length;
      resolve(stored.then((locator) => ({ locator, offset: start })));
    }
  };
  const storeUnlessMoreCome = () => {
    if (waiting.length === 0) return;
    if (timer === undefined || waiting.length >= Math.min(writers, mostWaiting)) store();
    else timer.ref();
  };
  return {
    enter() {
      writers += 1;
      return () => {
        writers -= 1;
        storeUnlessMoreCome();
      };
    },
    write: (content) =>
      new Promise((resolve) => {
        waiting.push({ content, resolve });
        storeUnlessMoreCome();
      }),
  };
}

const known = new WeakMap<object, SharedBlocks>();

/** Those of the store: containers of one process share them. */
export function sharedBlocksOf(blocks: Pick<BlockStore, 'write'>): SharedBlocks {
  const shared = known.get(blocks) ?? createSharedBlocks(blocks);
  known.set(blocks, shared);
  return shared;
}
