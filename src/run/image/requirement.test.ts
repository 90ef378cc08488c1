import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../core/json.ts';
import type { Requirement } from '../../cwl/model.ts';
import { imageBuildClass, toImageSource } from './requirement.ts';

const position = { file: 'file:///home/ada/tool.cwl', line: 3, column: 5 };
const docker = (fields: JsonObject): Requirement => ({ class: 'DockerRequirement', fields, position });
const build = (fields: JsonObject): Requirement => ({ class: imageBuildClass, fields, position });
const pdh = `${'0'.repeat(32)}+61`;
const context = { class: 'Directory', location: 'file:///home/ada/tools' };

describe('where the image of a step comes from', () => {
  it.each<[string, JsonObject, object]>([
    [
      'a collection',
      { 'http://arvados.org/cwl#dockerCollectionPDH': pdh },
      { kind: 'collection', portableDataHash: pdh },
    ],
    [
      'a collection before a name',
      { dockerCollectionPDH: pdh, dockerPull: 'debian:12' },
      { kind: 'collection', portableDataHash: pdh },
    ],
    ['a registry', { dockerPull: 'host:5000/img:tag' }, { kind: 'pull', reference: 'host:5000/img:tag' }],
    [
      'a registry, whatever the image is called here',
      { dockerPull: 'debian:12', dockerImageId: 'base' },
      { kind: 'pull', reference: 'debian:12' },
    ],
    ['an archive', { dockerLoad: 'file:///i.tar' }, { kind: 'load', location: 'file:///i.tar', position }],
    [
      'a root file system with a name',
      { dockerImport: 'file:///root.tar', dockerImageId: 'root:1' },
      { kind: 'import', location: 'file:///root.tar', imageId: 'root:1', position },
    ],
    ['a name alone', { dockerImageId: 'tool:1' }, { kind: 'id', imageId: 'tool:1' }],
    [
      'a Dockerfile',
      { dockerFile: 'FROM debian', dockerImageId: 'tool:1' },
      {
        kind: 'build',
        instructions: { text: 'FROM debian', dockerfile: 'Dockerfile', buildArgs: {}, imageId: 'tool:1', position },
      },
    ],
    [
      'a Dockerfile before everything else',
      { dockerFile: 'FROM debian', dockerPull: 'tool:1', dockerLoad: 'file:///i.tar' },
      { kind: 'build', instructions: { text: 'FROM debian', dockerfile: 'Dockerfile', buildArgs: {}, position } },
    ],
  ])('is %s', (_what, fields, source) => {
    expect(toImageSource(docker(fields), undefined)).toEqual(source);
  });

  it('is all of hm:ImageBuild', () => {
    const fields = {
      context,
      dockerfile: 'docker/Tool',
      buildArgs: { N: 3, DEBUG: true },
      target: 'run',
      platform: 'linux/arm64',
    };
    expect(toImageSource(undefined, build(fields))).toEqual({
      kind: 'build',
      instructions: { ...fields, buildArgs: { N: '3', DEBUG: 'true' }, position },
    });
  });

  it('is the text of one with the context of the other', () => {
    const source = toImageSource(docker({ dockerFile: 'FROM debian' }), build({ context: `keep:${pdh}/src` }));
    expect(source).toMatchObject({ instructions: { text: 'FROM debian', context: `keep:${pdh}/src` } });
  });

  it('is nowhere for a step without either', () => {
    expect(toImageSource(undefined, undefined)).toBeUndefined();
  });
});

describe('an error', () => {
  it.each<[string, Requirement | undefined, Requirement | undefined, string]>([
    ['no image', docker({}), undefined, 'DockerRequirement names no image'],
    ['an empty name', docker({ dockerPull: '' }), undefined, 'DockerRequirement names no image'],
    [
      'nothing to build from',
      undefined,
      build({ target: 'run' }),
      'hm:ImageBuild needs a context, or a dockerFile in DockerRequirement',
    ],
    [
      'a context that is a File',
      undefined,
      build({ context: { class: 'File', location: 'file:///c.tar' } }),
      'expected a Directory or a URL as context of hm:ImageBuild, got {"class":"File","location":"file:///c.tar"}',
    ],
    ['a context that is a number', undefined, build({ context: 3 }), 'got 3'],
    [
      'arguments that are a list',
      undefined,
      build({ context, buildArgs: ['A=1'] }),
      'expected a map of names to strings as buildArgs, got ["A=1"]',
    ],
    [
      'an argument that is a list',
      undefined,
      build({ context, buildArgs: { A: ['1'] } }),
      'expected a string as build argument A, got ["1"]',
    ],
  ])('says that there is %s, and where', (_what, requirement, hint, message) => {
    const fails = () => toImageSource(requirement, hint);
    expect(fails).toThrowError(expect.objectContaining({ code: 'run/bad-requirement', where: position }));
    expect(fails).toThrowError(message);
  });
});
