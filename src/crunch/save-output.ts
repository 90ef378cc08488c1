import type { Container } from '../api/records.ts';
import type { PortableDataHash } from '../core/ids.ts';
import type { Collection } from '../keep/collection.ts';
import type { CrunchDeps } from './port.ts';
import { withRetries } from './retry.ts';

/** Makes the record that keeps the output's blocks, and returns the name of its content. */
export async function saveOutput(
  container: Container,
  output: Collection,
  deps: CrunchDeps,
): Promise<PortableDataHash> {
  const name = `output for ${container.uuid}`;
  const properties = { type: 'output', container_uuid: container.uuid };
  const record = { name, properties, manifest_text: output.manifestText };
  const { portable_data_hash } = await withRetries(() => deps.api.create('collections', record));
  return portable_data_hash ?? output.portableDataHash;
}
