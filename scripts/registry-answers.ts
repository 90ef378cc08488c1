/** Exit code 0 when a registry answers for the image that is named. */
import { createResolveDigest } from '../src/cli/wire/images.ts';
import { parseReference } from '../src/image/reference.ts';

try {
  await createResolveDigest()(parseReference(process.argv[2] ?? ''));
} catch {
  process.exitCode = 1;
}
