import type { JsonObject } from '../../core/json.ts';
import type { FoundPackage, PackageList } from './model.ts';

/**
 * The list as a CycloneDX 1.6 bill of materials. The same image gives the same text: no time, no serial number.
 *
 * @param image `name`: portable data hash of the image collection
 */
export function toCycloneDx(
  list: PackageList,
  image: { readonly name: string; readonly imageHash: string },
): JsonObject {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'container', 'bom-ref': image.imageHash, name: image.name, version: image.imageHash },
    },
    components: list.packages.map(toComponent),
  };
}

function toComponent({ name, version, purl, path, layer, source }: FoundPackage): JsonObject {
  const properties = [
    { name: 'hallmark:path', value: path },
    { name: 'hallmark:layer', value: String(layer) },
    ...(source ? [{ name: 'hallmark:source', value: [source.name, source.version].filter(Boolean).join(' ') }] : []),
  ];
  return { type: 'library', 'bom-ref': `${purl}#${path}`, name, version, purl, properties };
}
