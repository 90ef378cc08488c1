import type { Container } from '../../api/records.ts';
import { isHallmarkError } from '../../core/errors.ts';
import { formatBytes } from '../../core/units.ts';
import { type ImageReference, parseReference, toFamiliarName } from '../../image/reference.ts';
import type { RegistryClient } from '../../image/registry/client.ts';
import type { ContentStore } from '../../image/store/content-store.ts';
import type { BlockStore } from '../../keep/port.ts';
import { crunchError } from '../errors.ts';
import type { LayerIndex } from '../images/layer-index.ts';
import { createProgress } from '../images/progress.ts';
import { storeImage } from '../images/store-image.ts';
import type { BuiltinCommand, BuiltinReport } from '../port.ts';

export interface PullDeps {
  readonly registry: RegistryClient;
  readonly blocks: BlockStore;
  readonly layers: LayerIndex;
  /** Concurrent pulls share its transfers, and the next one goes on where a killed one ended. */
  readonly content: ContentStore;
}

/** `docker pull NAME` (design 4.2): the image goes from its registry into Keep, no engine needed. */
export function createPull({ registry, blocks, layers, content }: PullDeps): BuiltinCommand {
  return async ({ container, report }, signal) => {
    const reference = readPull(container);
    report.activity(`asking for ${toFamiliarName(reference)}`);
    const image = await registry.openImage(reference, { signal, onRetry: tellRetry(report) });
    const { digest, sizeBytes } = image.plan;
    report.line(
      `${toFamiliarName(image.plan.reference)} is ${digest}, image ${image.imageHash}, ${formatBytes(sizeBytes)}`,
    );
    const onBytes = createProgress(image, 'receiving', report);
    const options = { blocks, layers, report, signal, onBytes, references: [reference], registryDigest: digest };
    try {
      const output = await storeImage(content.lazy(image, { onBytes }), options);
      await content.drop(image);
      return { exitCode: 0, output };
    } catch (error) {
      // What has come would take the room that the records of the failure need.
      if (isHallmarkError(error, 'image/cache-failed') || isHallmarkError(error, 'keep/no-space'))
        await content.drop(image);
      throw error;
    }
  };
}

/** In the log for later, and in the terminal for who waits. */
const tellRetry = (report: BuiltinReport) => (line: string) => {
  report.line(line);
  report.activity(line);
};

/** The name to pull. Fails with `crunch/bad-builtin`, naming the rule that the record breaks, or `image/bad-reference`. */
function readPull({ uuid, command, mounts, runtime_constraints }: Container): ImageReference {
  const refuse = (field: string, expected: string, got: unknown) =>
    crunchError('crunch/bad-builtin', `docker pull: expected ${field} to be ${expected}, got ${JSON.stringify(got)}`, {
      hint: 'see the rules of builtin requests in docs/builtin-requests.md',
      where: { container: uuid, field },
    });
  const [, , name] = command;
  if (command.length !== 3 || !name || name.startsWith('-')) {
    throw refuse('command', '["docker","pull","<image name>"]', command);
  }
  if (Object.keys(mounts).length > 0) throw refuse('mounts', '{}', mounts);
  if (runtime_constraints.API !== true) throw refuse('runtime_constraints.API', 'true', runtime_constraints.API);
  return parseReference(name);
}
