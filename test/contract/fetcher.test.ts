import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { isInnerAddress } from '../../src/adapters/fetch/address.ts';
import { createFetcherByScheme } from '../../src/adapters/fetch/by-scheme.ts';
import { checkInside, createFileFetcher } from '../../src/adapters/fetch/file.ts';
import { createHttpFetcher } from '../../src/adapters/fetch/http.ts';
import { createMemoryFetcher } from '../fakes/fetcher.ts';
import { describeFetcher } from './fetcher.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

async function newDirectory(texts: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hallmark-fetch-'));
  endings.push(() => rm(directory, { recursive: true }));
  for (const [path, text] of Object.entries(texts)) await writeFile(join(directory, decodeURIComponent(path)), text);
  return directory;
}

async function serve(texts: Readonly<Record<string, string>>, redirect?: string): Promise<string> {
  const server: Server = createServer(({ url = '' }, response) => {
    const text = texts[url.slice(1)];
    if (url === '/away' && redirect !== undefined) response.writeHead(302, { location: redirect }).end();
    else if (text === undefined) response.writeHead(404).end();
    else response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describeFetcher('memory', async (texts) => {
  const base = 'memory:/';
  const entries = Object.entries(texts).map(([path, text]) => [base + path, text]);
  return { fetcher: createMemoryFetcher(Object.fromEntries(entries)), base };
});
describeFetcher('file:', async (texts) => {
  const directory = await newDirectory(texts);
  return { fetcher: createFileFetcher({ roots: [directory] }), base: `${pathToFileURL(directory).href}/` };
});
describeFetcher('http:', async (texts) => ({
  fetcher: createHttpFetcher({ trusts: () => true }),
  base: await serve(texts),
}));
describeFetcher('by scheme', async (texts) => ({
  fetcher: createFetcherByScheme({ http: createHttpFetcher({ trusts: () => true }) }),
  base: await serve(texts),
}));

describe('the fetcher of files', () => {
  it('refuses what is outside its roots, also through links', async () => {
    const directory = await newDirectory({ 'secret.txt': 'secret' });
    const root = join(directory, 'root');
    await mkdir(root);
    await symlink('../secret.txt', join(root, 'link.txt'));
    const fetcher = createFileFetcher({ roots: [root] });
    for (const path of [join(directory, 'secret.txt'), join(root, 'link.txt'), join(root, '../secret.txt')]) {
      const refused = fetcher.fetchText(pathToFileURL(path).href);
      await expect(refused).rejects.toMatchObject({
        code: 'cwl/fetch-refused',
        message: expect.stringContaining('outside'),
      });
      expect(await fetcher.exists(pathToFileURL(path).href)).toBe(false);
    }
  });

  it('has the same rule for what is read by others', async () => {
    const directory = await newDirectory({ 'secret.txt': 'secret' });
    const root = join(directory, 'root');
    await mkdir(root);
    await symlink('../secret.txt', join(root, 'link.tar'));
    for (const path of ['link.tar', '../secret.txt', '../none.txt']) {
      const refused = checkInside(pathToFileURL(join(root, path)).href, [root]);
      await expect(refused).rejects.toMatchObject({
        code: 'cwl/fetch-refused',
        message: expect.stringMatching(/^reading .* is not allowed: it is outside /),
        hint: expect.stringContaining('--allow-read'),
      });
    }
    for (const path of ['.', 'none.tar']) await checkInside(pathToFileURL(join(root, path)).href, [root]);
    await checkInside(pathToFileURL(join(root, 'link.tar')).href, [root, directory]);
  });

  it('refuses files that are too large, and what is no file', async () => {
    const directory = await newDirectory({ 'large.txt': 'x'.repeat(100) });
    const fetcher = createFileFetcher({ maxBytes: 10 });
    const large = fetcher.fetchText(pathToFileURL(join(directory, 'large.txt')).href);
    await expect(large).rejects.toMatchObject({
      code: 'cwl/fetch-refused',
      message: expect.stringContaining('got 100'),
    });
    await expect(fetcher.fetchText('file:///dev/zero')).rejects.toMatchObject({ code: 'cwl/not-found' });
    await expect(fetcher.fetchText(pathToFileURL(directory).href)).rejects.toMatchObject({ code: 'cwl/not-found' });
    await expect(fetcher.fetchText('file://elsewhere/etc/passwd')).rejects.toMatchObject({ code: 'cwl/fetch-refused' });
  });
});

describe('the fetcher of URLs', () => {
  it('refuses private addresses, by name and by number', async () => {
    const base = await serve({ 'a.cwl': 'x' });
    const { port } = new URL(base);
    const fetcher = createHttpFetcher();
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1']) {
      const refused = fetcher.fetchText(`http://${host}:${port}/a.cwl`);
      await expect(refused).rejects.toMatchObject({
        code: 'cwl/fetch-refused',
        message: expect.stringContaining('private'),
      });
    }
  });

  it('refuses other schemes and credentials in URLs', async () => {
    const fetcher = createHttpFetcher({ trusts: () => true });
    await expect(fetcher.fetchText('file:///etc/passwd')).rejects.toMatchObject({ code: 'cwl/fetch-refused' });
    const secret = fetcher.fetchText('http://me:hunter2@localhost/a.cwl');
    await expect(secret).rejects.toMatchObject({
      code: 'cwl/fetch-refused',
      message: expect.not.stringContaining('hunter2'),
    });
  });

  it('refuses answers that are too large', async () => {
    const base = await serve({ 'large.cwl': 'x'.repeat(100_000) });
    const fetcher = createHttpFetcher({ trusts: () => true, maxBytes: 1000 });
    await expect(fetcher.fetchText(`${base}large.cwl`)).rejects.toMatchObject({ code: 'cwl/fetch-refused' });
  });

  it('follows redirects only to where it may read', async () => {
    const target = await serve({ 'a.cwl': 'found' });
    const fetcher = createHttpFetcher({ trusts: () => true });
    expect(await fetcher.fetchText(`${await serve({}, `${target}a.cwl`)}away`)).toBe('found');
    const escaping = fetcher.fetchText(`${await serve({}, 'file:///etc/passwd')}away`);
    await expect(escaping).rejects.toMatchObject({ code: expect.stringMatching(/^cwl\/fetch-/) });
  });

  it('says whether a failure may pass', async () => {
    const base = await serve({});
    const unreachable = createHttpFetcher({ trusts: () => true, timeoutMs: 2000 });
    endings.splice(0).map((end) => end());
    await expect(unreachable.fetchText(`${base}a.cwl`)).rejects.toMatchObject({
      code: 'cwl/fetch-failed',
      retryable: true,
    });
  });

  it.each([
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    'fd00::1',
    'fe80::1',
    '::',
    '::ffff:10.0.0.1',
    '100.64.0.1',
  ])('knows %s as an inner address', (address) => {
    expect(isInnerAddress(address)).toBe(true);
  });
  it.each(['1.1.1.1', '2606:4700::1111', '::ffff:8.8.8.8', '172.32.0.1'])('knows %s as an outer address', (address) => {
    expect(isInnerAddress(address)).toBe(false);
  });
});

describe('the fetcher by scheme', () => {
  it('refuses schemes it does not know', async () => {
    const fetcher = createFetcherByScheme({ file: createFileFetcher() });
    await expect(fetcher.fetchText('gopher://x/')).rejects.toMatchObject({
      code: 'cwl/fetch-refused',
      message: expect.stringContaining('file:'),
    });
    expect(await fetcher.exists('constructor:x')).toBe(false);
  });
});
