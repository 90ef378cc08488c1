import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PortableDataHash } from '../../core/ids.ts';
import type { CwlDirectory } from '../../cwl/values.ts';
import { planBuild } from '../../image/build/plan/plan.ts';
import { parsePlatform } from '../../image/platform.ts';
import { readText } from '../../keep/file-reader.ts';
import { parseKeepLocation } from '../../keep/location.ts';
import { toBuildRequest } from '../../request/build-request.ts';
import { readCollection } from '../collections.ts';
import { runError } from '../errors.ts';
import type { GitFacts, ImageServices, ResolvedImage } from './port.ts';
import { requestImage } from './request-image.ts';
import type { BuildInstructions } from './requirement.ts';

type ResolveBase = (reference: string, signal?: AbortSignal) => Promise<ResolvedImage>;
type BuildImage = (instructions: BuildInstructions, signal?: AbortSignal) => Promise<ResolvedImage>;

/** A Dockerfile is short; a longer one is a mistake or an attack. */
const maxDockerfileBytes = 1024 * 1024;

/** Makes the call that turns build instructions into an image: context to Keep, bases resolved, one build request (design 4.3). */
export function createImageBuild(services: ImageServices, resolveBase: ResolveBase): BuildImage {
  return async (instructions, signal) => {
    const context = await storeContext(instructions);
    const text = instructions.text ?? (await readDockerfile(instructions, context));
    const plan = planBuild(text, {
      buildArgs: instructions.buildArgs,
      fileName: instructions.dockerfile,
      ...(instructions.target === undefined ? {} : { target: instructions.target }),
      ...(instructions.platform === undefined ? {} : { platform: parsePlatform(instructions.platform) }),
    });
    const bases = await Promise.all(
      plan.bases.map(async ({ reference }) => ({
        reference,
        image: (await resolveBase(reference, signal)).portableDataHash,
      })),
    );
    const name = instructions.imageId ?? `image of ${instructions.dockerfile}`;
    const { text: inline, dockerfile, buildArgs, target, platform } = instructions;
    const build = {
      dockerfile: inline === undefined ? { path: dockerfile } : { text: inline },
      buildArgs,
      bases,
      secrets: plan.secrets.flatMap(({ id }) => {
        const content = services.buildSecrets?.get(id);
        return content === undefined ? [] : [{ id, content }];
      }),
      ...(context === undefined ? {} : { context: toMounted(context) }),
      ...(target === undefined ? {} : { target }),
      ...(platform === undefined ? {} : { platform }),
    };
    const attributes = {
      ...toBuildRequest(build, { reuse: services.reuse }),
      name: `build ${name}`,
      properties: { ...services.properties, ...(await factsOf(instructions, text)) },
    };
    return requestImage(services, { name, what: `build of ${name}`, status: 'building', attributes }, signal);
  };

  async function storeContext({ context, position }: BuildInstructions): Promise<string | undefined> {
    if (context === undefined) return undefined;
    if (typeof context !== 'string') return ((await services.inputs.store(context)) as CwlDirectory).location;
    if (context.startsWith('keep:')) return context;
    throw runError(
      'run/bad-requirement',
      `expected a Directory or a keep: URL as context of hm:ImageBuild, got ${context}`,
      {
        where: position,
        hint: 'check the repository out and give its folder as a Directory',
      },
    );
  }

  async function readDockerfile(
    { dockerfile, position }: BuildInstructions,
    context: string | undefined,
  ): Promise<string> {
    const { portableDataHash, path: inside } = parseKeepLocation(context ?? '');
    const collection = await readCollection(services.api, portableDataHash);
    const path = [inside, dockerfile.replace(/^\/+/, '')].filter((part) => part !== '').join('/');
    const file = collection.files.get(path);
    if (file && file.sizeBytes <= maxDockerfileBytes) return readText(services.blocks, file);
    throw runError(
      'run/bad-requirement',
      `expected a Dockerfile of at most 1 MiB at ${path} in the build context, got ${file ? `${file.sizeBytes} bytes` : 'none'}`,
      {
        where: position,
        hint: 'set dockerfile of hm:ImageBuild to its path in the context',
      },
    );
  }

  /** What of the instructions is not in the request itself: hash and place of the text, and the work tree around it. */
  async function factsOf(instructions: BuildInstructions, text: string): Promise<Record<string, string>> {
    const facts: GitFacts | undefined = await services.gitFacts(folderOf(instructions));
    return {
      'hm:dockerfileSha256': createHash('sha256').update(text).digest('hex'),
      'hm:document': instructions.position.file,
      ...facts,
    };
  }
}

/** The folder on the host that the instructions come from. */
function folderOf({ context, position }: BuildInstructions): string {
  if (typeof context === 'object' && context.location?.startsWith('file:')) return fileURLToPath(context.location);
  return dirname(position.file.startsWith('file:') ? fileURLToPath(position.file) : position.file);
}

function toMounted(location: string): { readonly portableDataHash: PortableDataHash; readonly path?: string } {
  const { portableDataHash, path } = parseKeepLocation(location);
  return path === '' ? { portableDataHash } : { portableDataHash, path };
}
