import { createHash } from 'node:crypto';
import { planBuild } from '../../image/build/plan/plan.ts';
import { parsePlatform } from '../../image/platform.ts';
import { type ResolvedBuild, toBuildRequest } from '../../request/build-request.ts';
import { fetchAdded, toAddedFacts } from './added.ts';
import { type PinnedContext, pinContext, placeOfDockerfile, readDockerfile, sourceOf } from './build-context.ts';
import type { ImageServices, ResolveBase, ResolvedImage } from './port.ts';
import { requestImage } from './request-image.ts';
import { type BuildInstructions, nameOfBuild } from './requirement.ts';

/** Turns build instructions into an image: context to Keep, bases resolved, one build request (design 4.3). */
export async function buildImage(
  services: ImageServices,
  instructions: BuildInstructions,
  resolveBase: ResolveBase,
  signal: AbortSignal = new AbortController().signal,
): Promise<ResolvedImage> {
  const context = await pinContext(services, instructions, signal);
  const text = instructions.text ?? (await readDockerfile(services, instructions, context, signal));
  const plan = planBuild(text, {
    buildArgs: instructions.buildArgs,
    fileName: placeOfDockerfile(instructions),
    ...(instructions.target === undefined ? {} : { target: instructions.target }),
    ...(instructions.platform === undefined ? {} : { platform: parsePlatform(instructions.platform) }),
  });
  const bases = await Promise.all(
    plan.bases.map(async ({ reference }) => ({
      reference,
      image: (await resolveBase(reference, signal)).portableDataHash,
    })),
  );
  const name = nameOfBuild(instructions);
  const tell = (url: string) =>
    services.emit({ type: 'image', reference: name, status: 'looking', detail: `ADD ${url}` });
  const added = await fetchAdded(services, plan, { bases, tell }, signal);
  const secrets = plan.secrets.flatMap(({ id }) => {
    const content = services.buildSecrets?.get(id);
    return content === undefined ? [] : [{ id, content }];
  });
  const attributes = {
    ...toBuildRequest(toResolvedBuild(instructions, { context, bases, secrets, added }), { reuse: services.reuse }),
    name: `build ${name}`,
    properties: {
      ...services.properties,
      ...(await factsOf(services, instructions, text)),
      ...(added.length > 0 && { 'hm:added': toAddedFacts(added) }),
    },
  };
  return requestImage(services, { name, what: `build of ${name}`, status: 'building', attributes }, signal);
}

interface Ingredients extends Pick<ResolvedBuild, 'bases' | 'secrets' | 'added'> {
  readonly context: PinnedContext | undefined;
}

function toResolvedBuild(instructions: BuildInstructions, { context, ...rest }: Ingredients): ResolvedBuild {
  const { text, dockerfile, buildArgs, target, platform } = instructions;
  return {
    ...rest,
    dockerfile: text === undefined ? { path: dockerfile } : { text },
    buildArgs,
    ...(context === undefined ? {} : { context }),
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
  };
}

/** What of the instructions is not in the request itself: hash and place of the text, and the work tree around it. */
async function factsOf(
  services: ImageServices,
  instructions: BuildInstructions,
  text: string,
): Promise<Record<string, string>> {
  return {
    'hm:dockerfileSha256': createHash('sha256').update(text).digest('hex'),
    'hm:document': instructions.position.file,
    ...(await services.gitFacts(...sourceOf(instructions))),
  };
}
