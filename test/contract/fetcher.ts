import { describe, expect, it } from 'vitest';
import type { Fetcher } from '../../src/cwl/port.ts';

export interface FetcherSetting {
  readonly fetcher: Fetcher;
  /** Absolute URI of the folder that holds the texts. */
  readonly base: string;
}

/** What every fetcher does. `make` gives one that can read `texts`. */
export function describeFetcher(
  name: string,
  make: (texts: Readonly<Record<string, string>>) => Promise<FetcherSetting>,
): void {
  const texts = { 'tool.cwl': 'class: CommandLineTool\n', 'with%20blank.txt': 'é\n', 'empty.txt': '' };
  describe(`${name}: the contract of a fetcher`, () => {
    it('reads texts as UTF-8, names being parts of URIs', async () => {
      const { fetcher, base } = await make(texts);
      for (const [path, text] of Object.entries(texts)) expect(await fetcher.fetchText(`${base}${path}`)).toBe(text);
    });

    it('says what is missing', async () => {
      const { fetcher, base } = await make(texts);
      const missing = fetcher.fetchText(`${base}missing.cwl`);
      await expect(missing).rejects.toMatchObject({
        code: 'cwl/not-found',
        message: expect.stringContaining('missing.cwl'),
      });
    });

    it('answers whether something is there', async () => {
      const { fetcher, base } = await make(texts);
      expect(await fetcher.exists(`${base}tool.cwl`)).toBe(true);
      expect(await fetcher.exists(`${base}missing.cwl`)).toBe(false);
    });
  });
}
