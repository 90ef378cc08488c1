import { describe, expect, it } from 'vitest';
import { discoveryDocument } from '../cluster/http/discovery.ts';
import { toCapabilities } from './capabilities.ts';

/** As Arvados `revision` describes its container requests, with the attributes that came with time. */
const documentOf = (revision: string, attributes: readonly string[], more: object = {}) => ({
  revision,
  uuidPrefix: 'zzzzz',
  schemas: { ContainerRequest: { properties: Object.fromEntries(attributes.map((name) => [name, { type: 'x' }])) } },
  ...more,
});

describe('capabilities', () => {
  it('of stock Arvados 3.2: no builtin requests, nothing on the host', () => {
    const attributes = ['output_glob', 'output_properties', 'output_storage_classes', 'service', 'published_ports'];
    const more = { maxRequestSize: 134217728, defaultCollectionReplication: 3, websocketUrl: 'wss://ws.example/' };
    expect(toCapabilities(documentOf('20250402', attributes, more))).toEqual({
      clusterId: 'zzzzz',
      revision: '20250402',
      maxRequestBytes: 134217728,
      defaultReplication: 3,
      websocketUrl: 'wss://ws.example/',
      builtinRequests: false,
      hostRequests: false,
      ownParameters: false,
      outputGlob: true,
      outputProperties: true,
      outputStorageClasses: true,
      services: true,
      gpu: 'any',
    });
  });

  it('of an old one, by what its schema lacks', () => {
    expect(toCapabilities(documentOf('20220510', ['output_properties', 'output_storage_classes']))).toMatchObject({
      outputGlob: false,
      outputProperties: true,
      services: false,
      gpu: 'cuda',
      defaultReplication: 2,
    });
  });

  it('of an embedded cluster behind its HTTP face', () => {
    expect(toCapabilities(discoveryDocument('http://127.0.0.1:1', 'hzzzz'))).toMatchObject({
      clusterId: 'hzzzz',
      builtinRequests: true,
      hostRequests: true,
      ownParameters: true,
      outputGlob: true,
      defaultReplication: 1,
    });
  });

  it.each([[null], ['<html>'], [{ revision: '1' }], [{ schemas: {} }]])('are not in %j', (document) => {
    expect(() => toCapabilities(document)).toThrowError(/^expected the discovery document of an Arvados cluster/);
  });
});
