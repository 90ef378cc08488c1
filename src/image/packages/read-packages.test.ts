import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { layerOf, tarOf } from '../../../test/fakes/registry-images.ts';
import { mergedTree } from '../layers/merged-tree.ts';
import { findPackages, parsePackageQuery } from './query.ts';
import { readPackages } from './read-packages.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

async function read(...layers: readonly Files[]) {
  const tars = layers.map((files) => layerOf(tarOf(Object.entries(files).map(([path, text]) => ({ path, text })))));
  return readPackages(await mergedTree(tars));
}

const stanza = (name: string, version: string, more = '') =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n${more}Description: x\n more: y\n .\n\n`;

const debian = {
  'etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n',
  'var/lib/dpkg/status':
    stanza('libssl3', '3.0.15-1~deb12u1', 'Source: openssl\n') +
    stanza('bwa', '0.7.17-7+b2', 'Source: bwa (0.7.17-7)\n') +
    'Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n',
};

describe('the packages of an image', () => {
  it('are those of dpkg that are installed, with what they were built from', async () => {
    const { distribution, packages, unread } = await read(debian);
    expect(distribution).toEqual({ id: 'debian', version: '12' });
    expect(packages).toEqual([
      {
        ...{ kind: 'deb', name: 'bwa', version: '0.7.17-7+b2', architecture: 'amd64' },
        ...{ source: { name: 'bwa', version: '0.7.17-7' }, path: 'var/lib/dpkg/status', layer: 0 },
        purl: 'pkg:deb/debian/bwa@0.7.17-7%2Bb2?arch=amd64&distro=debian-12',
      },
      expect.objectContaining({ name: 'libssl3', source: { name: 'openssl' } }),
    ]);
    expect(unread).toEqual([]);
  });

  it.each<[string, Files, string[]]>([
    [
      'distroless',
      { 'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2025b-0\n' },
      ['pkg:deb/tzdata@2025b-0'],
    ],
    [
      'apk',
      { 'lib/apk/db/installed': 'C:Q1x=\nP:libssl3\nV:3.3.2-r0\nA:x86_64\no:openssl\nF:lib\n\nP:musl\nV:1.2.5-r1\n' },
      ['pkg:apk/libssl3@3.3.2-r0?arch=x86_64', 'pkg:apk/musl@1.2.5-r1'],
    ],
    [
      'conda',
      {
        'opt/conda/conda-meta/samtools-1.21-h50ea8bc_0.json': JSON.stringify({
          ...{ name: 'samtools', version: '1.21', build: 'h50ea8bc_0', subdir: 'linux-64' },
          channel: 'https://conda.example/bioconda/linux-64',
        }),
        'opt/conda/conda-meta/history': '==>',
      },
      ['pkg:conda/samtools@1.21?build=h50ea8bc_0&channel=bioconda&subdir=linux-64'],
    ],
    [
      'Python',
      {
        'usr/lib/python3/dist-packages/ruamel.yaml-0.18.dist-info/METADATA':
          'Metadata-Version: 2.1\nName: ruamel.yaml\nVersion: 0.18\n\nName: not this\n',
        'usr/lib/python3/dist-packages/six-1.16.0.egg-info': 'Name: six\nVersion: 1.16.0\n',
      },
      ['pkg:pypi/ruamel-yaml@0.18', 'pkg:pypi/six@1.16.0'],
    ],
    [
      'R',
      {
        'usr/lib/R/library/ggplot2/DESCRIPTION': 'Package: ggplot2\nVersion: 3.5.1\nBuilt: R 4.2.2; ; 2024; unix\n',
        'usr/lib/R/library/limma/DESCRIPTION':
          'Package: limma\nVersion: 3.54.0\nbiocViews: ExonArray,\n  Genetics\nBuilt: R 4.2.2\n',
        'home/me/mine/DESCRIPTION': 'Package: mine\nVersion: 0.1\n',
      },
      ['pkg:bioconductor/limma@3.54.0', 'pkg:cran/ggplot2@3.5.1'],
    ],
    [
      'npm',
      {
        'app/node_modules/@scope/a/package.json': '{"name":"@scope/a","version":"1.0.0"}',
        'app/node_modules/b/package.json': '{"name":"b","version":"2.0.0"}',
        'app/node_modules/b/test/package.json': '{"name":"fixture","version":"0.0.0"}',
      },
      ['pkg:npm/%40scope/a@1.0.0', 'pkg:npm/b@2.0.0'],
    ],
  ])('are those of %s', async (_kind, files, purls) => {
    const list = await read(files);
    expect(list.packages.map(({ purl }) => purl)).toEqual(purls);
    expect(list.unread).toEqual([]);
  });

  it('are those of rpm', async () => {
    const list = await read({ 'usr/lib/sysimage/rpm/rpmdb.sqlite': rpmDatabase() });
    expect(list.packages).toMatchObject([
      {
        kind: 'rpm',
        name: 'openssl-libs',
        version: '1:3.0.7-27.el9',
        architecture: 'x86_64',
        source: { name: 'openssl', version: '3.0.7-27.el9' },
      },
    ]);
  });

  it('are those of the whole image; what a later layer took away is told apart', async () => {
    const later = { 'var/lib/dpkg/status': stanza('bwa', '0.7.18-1') };
    const list = await read(debian, later, { 'usr/lib/python3/dist-packages/.wh.six-1.16.0.egg-info': '' });
    expect(list.packages).toMatchObject([{ name: 'bwa', version: '0.7.18-1', layer: 1 }]);
    expect(list.hidden.map(({ name, layer }) => [name, layer])).toEqual([
      ['bwa', 0],
      ['libssl3', 0],
    ]);
  });

  it('keep the layer that brought them, though later layers write the database anew', async () => {
    const later = { 'var/lib/dpkg/status': `${debian['var/lib/dpkg/status']}${stanza('samtools', '1.16-1')}` };
    const list = await read(debian, later);
    expect(list.packages.map(({ name, layer }) => [name, layer])).toEqual([
      ['bwa', 0],
      ['libssl3', 0],
      ['samtools', 1],
    ]);
    expect(list.hidden).toEqual([]);
  });

  it.each<[string, Files, RegExp]>([
    ['an old rpm database', { 'var/lib/rpm/Packages': 'x' }, /before rpm 4\.16/],
    ['a broken rpm database', { 'var/lib/rpm/rpmdb.sqlite': 'x'.repeat(4096) }, /not a database/],
    ['a view that would never end', { 'var/lib/rpm/rpmdb.sqlite': endlessDatabase() }, /no table Packages/],
    ['broken JSON', { 'env/conda-meta/a-1-0.json': '{' }, /JSON/],
    [
      'a paragraph without a version',
      { 'var/lib/dpkg/status': 'Package: a\nStatus: install ok installed\n' },
      /no Version/,
    ],
  ])('are unknown for %s, and said to be', async (_what, files, reason) => {
    const list = await read(files);
    expect(list.packages).toEqual([]);
    expect(list.unread).toEqual([{ path: Object.keys(files)[0], reason: expect.stringMatching(reason) }]);
  });
});

describe('a question for packages', () => {
  const ask = async (text: string) => {
    const { found, unknown } = findPackages(await read(debian), parsePackageQuery(text));
    return [found.map(({ name }) => name), unknown];
  };

  it.each([
    ['bwa', ['bwa']],
    ['bwa=0.7.17-7+b2', ['bwa']],
    ['bwa<0.7.17', []],
    ['deb/bwa>=0.7.17, <0.7.18', ['bwa']],
    ['pypi/bwa', []],
    ['openssl<3.0.16', ['libssl3']],
    ['openssl<3.0.15-1~deb12u1', []],
  ])('%s', async (text, names) => {
    expect(await ask(text)).toEqual([names, []]);
  });

  it('tells which versions are there that it does not mean', async () => {
    const { others } = findPackages(await read(debian), parsePackageQuery('bwa=0.7.17'));
    expect(others).toMatchObject([{ name: 'bwa', version: '0.7.17-7+b2' }]);
  });

  it('has no answer where nothing is known', async () => {
    const query = parsePackageQuery('bwa');
    expect(findPackages(await read({ 'bin/tool': 'static' }), query)).toEqual({
      found: [],
      others: [],
      unknown: ['the image has no package database'],
    });
    const conda = await read({ 'env/conda-meta/openssl-1-0.json': '{"name":"openssl","version":"1.1.1w"}' });
    expect(findPackages(conda, parsePackageQuery('openssl<1.1.1x')).unknown).toEqual([
      'pkg:conda/openssl@1.1.1w: its version cannot be ordered',
    ]);
  });

  it.each(['', '<1', 'a b', 'a<', 'a<1<2', 'a=1,'])('is refused when it is none: %j', (text) => {
    expect(() => parsePackageQuery(text)).toThrow(expect.objectContaining({ code: 'image/bad-package-query' }));
  });
});

/** A database of one key and one package, as rpm lays it out. */
function rpmDatabase(): Buffer {
  const header = rpmHeader({
    1000: 'openssl-libs',
    1001: '3.0.7',
    1002: '27.el9',
    1003: 1,
    1022: 'x86_64',
    1044: 'openssl-3.0.7-27.el9.src.rpm',
  });
  const key = rpmHeader({ 1000: 'gpg-pubkey', 1001: 'fd431d51', 1002: '4ae0493b' });
  return databaseOf((database) => {
    database.exec('CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)');
    for (const blob of [header, key]) database.prepare('INSERT INTO Packages (blob) VALUES (?)').run(blob);
  });
}

function endlessDatabase(): Buffer {
  return databaseOf((database) => {
    database.exec(
      'CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS (SELECT 1 UNION ALL SELECT blob FROM n) SELECT blob FROM n',
    );
  });
}

function databaseOf(fill: (database: DatabaseSync) => void): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'hallmark-rpm-test-'));
  const database = new DatabaseSync(join(folder, 'db'));
  fill(database);
  database.close();
  const bytes = readFileSync(join(folder, 'db'));
  rmSync(folder, { recursive: true });
  return bytes;
}

function rpmHeader(fields: Readonly<Record<number, string | number>>): Buffer {
  const index: Buffer[] = [];
  let data = Buffer.alloc(0);
  for (const [tag, value] of Object.entries(fields)) {
    const entry = Buffer.alloc(16);
    const number = Buffer.alloc(4);
    if (typeof value === 'number') number.writeUInt32BE(value);
    entry.writeUInt32BE(Number(tag), 0);
    entry.writeUInt32BE(typeof value === 'number' ? 4 : 6, 4);
    entry.writeUInt32BE(data.length, 8);
    entry.writeUInt32BE(1, 12);
    index.push(entry);
    data = Buffer.concat([data, typeof value === 'number' ? number : Buffer.from(`${value}\0`)]);
  }
  const counts = Buffer.alloc(8);
  counts.writeUInt32BE(index.length, 0);
  counts.writeUInt32BE(data.length, 4);
  return Buffer.concat([counts, ...index, data]);
}
