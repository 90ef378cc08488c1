import type { CollectionRecord, Container } from '../api/records.ts';
import type { JsonObject } from '../core/json.ts';
import type { Collection } from '../keep/collection.ts';
import type { CrunchDeps } from './port.ts';
import { withRetries } from './retry.ts';

const answered = ['uuid', 'portable_data_hash'] as const;

/** Makes the record that keeps the output's blocks. */
export function saveOutput(
  container: Container,
  output: Collection,
  deps: CrunchDeps,
  more: JsonObject = {},
): Promise<Pick<CollectionRecord, (typeof answered)[number]>> {
  const name = `output for ${container.uuid}`;
  const properties = { type: 'output', container_uuid: container.uuid, ...more };
  const record = { name, properties, manifest_text: output.manifestText };
  return withRetries(() => deps.api.create('collections', record, { select: answered }));
}
