import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { EffectiveRequirement } from '../../job/model.ts';
import type { MapRequirement } from '../contribution.ts';
import { objectsField } from '../fields.ts';

export const mapProcessProperties: MapRequirement = (entry) => ({
  properties: toProperties(entry, 'processProperties'),
});

export const mapOutputProperties: MapRequirement = (entry) => ({
  attributes: { output_properties: toProperties(entry, 'outputProperties') },
});

function toProperties(entry: EffectiveRequirement, field: string): JsonObject {
  const pairs = objectsField(entry, field).map(({ propertyName, propertyValue }): [string, JsonValue] => [
    String(propertyName),
    propertyValue ?? null,
  ]);
  return Object.fromEntries(pairs);
}
