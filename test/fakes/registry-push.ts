import { buffer } from 'node:stream/consumers';
import { mediaTypes } from '../../src/image/media-types.ts';
import type { Descriptor, Image } from '../../src/image/model.ts';
import { digestOf } from '../../src/image/streams.ts';

/** Where and as whom to push: distribution-spec 1.1, "Push", over plain HTTP with basic authentication. */
export interface PushTarget {
  readonly host: string;
  readonly user?: string;
  readonly password?: string;
}

/** Pushes an image under a tag; the manifest's descriptor. */
export async function pushImage(
  target: PushTarget,
  repository: string,
  tag: string,
  image: Image,
): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  for (const layer of image.layers) {
    await pushBlob(target, repository, await buffer(await layer.open()));
    layers.push(layer.descriptor);
  }
  const { digest, size } = await pushBlob(target, repository, Buffer.from(image.configBytes));
  const config = { mediaType: mediaTypes.ociConfig, digest, size };
  const mediaType = mediaTypes.ociManifest;
  return pushManifest(target, repository, tag, mediaType, { schemaVersion: 2, mediaType, config, layers });
}

export async function pushManifest(
  target: PushTarget,
  repository: string,
  tag: string,
  mediaType: string,
  content: unknown,
): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(content));
  await send(target, 'PUT', `http://${target.host}/v2/${repository}/manifests/${tag}`, bytes, mediaType);
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

async function pushBlob(target: PushTarget, repository: string, bytes: Buffer): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const opened = await send(target, 'POST', `http://${target.host}/v2/${repository}/blobs/uploads/`);
  const url = new URL(opened.headers.get('location') ?? '', `http://${target.host}`);
  url.searchParams.set('digest', digest);
  await send(target, 'PUT', url.href, bytes, 'application/octet-stream');
  return { mediaType: 'application/octet-stream', digest, size: bytes.length };
}

async function send(target: PushTarget, method: string, url: string, body?: Buffer, type?: string): Promise<Response> {
  const login = Buffer.from(`${target.user}:${target.password}`).toString('base64');
  const headers = { ...(type && { 'content-type': type }), ...(target.user && { authorization: `Basic ${login}` }) };
  const response = await fetch(url, { method, headers, ...(body && { body: new Uint8Array(body) }) });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response;
}
