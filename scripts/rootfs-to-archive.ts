/**
 * rootfs-to-archive.ts ROOTFS.tar NAME[,NAME…] OUT.tar [ENTRYPOINT-JSON]: makes an image of one layer from a root file system,
 * as an archive that `docker load` takes.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { toDigest } from '../src/core/ids.ts';
import { planArchive, writeArchive } from '../src/image/archive/write.ts';
import { makeImage } from '../src/image/make-image.ts';

const [rootfs = '', names = '', out = '', entrypoint] = process.argv.slice(2);
if (out === '') {
  console.error('usage: rootfs-to-archive.ts ROOTFS.tar NAME[,NAME…] OUT.tar [ENTRYPOINT-JSON]');
  process.exit(2);
}

const layerPath = `${out}.layer.gz`;
const tarHash = createHash('sha256');
const gzipHash = createHash('sha256');
await pipeline(
  createReadStream(rootfs),
  async function* (source) {
    for await (const chunk of source) {
      tarHash.update(chunk as Buffer);
      yield chunk as Buffer;
    }
  },
  createGzip({ level: 6 }),
  async function* (source) {
    for await (const chunk of source) {
      gzipHash.update(chunk as Buffer);
      yield chunk as Buffer;
    }
  },
  createWriteStream(layerPath),
);

const created = statSync(rootfs).mtime.toISOString();
const config = {
  created,
  architecture: process.arch === 'x64' ? 'amd64' : process.arch,
  os: 'linux',
  config: {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['bash'],
    ...(entrypoint === undefined ? {} : { Entrypoint: JSON.parse(entrypoint) as string[] }),
  },
  rootfs: { type: 'layers', diff_ids: [`sha256:${tarHash.digest('hex')}`] },
  history: [{ created, created_by: 'root file system from packages' }],
};
const descriptor = {
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  digest: toDigest(`sha256:${gzipHash.digest('hex')}`),
  size: statSync(layerPath).size,
};
const image = makeImage(Buffer.from(JSON.stringify(config)), [descriptor], out, () => ({
  open: async () => createReadStream(layerPath),
  openFrom: async (start: number) => createReadStream(layerPath, { start }),
}));
await pipeline(writeArchive(await planArchive(image, names.split(','))), createWriteStream(`${out}.part`));
renameSync(`${out}.part`, out);
rmSync(layerPath);
console.log(image.imageHash);
