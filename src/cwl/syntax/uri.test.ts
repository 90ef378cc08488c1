import { describe, expect, it } from 'vitest';
import { expandPrefix, resolvePath, resolveUri, shortName, vocabularyName } from './uri.ts';

describe('resolveUri', () => {
  it.each([
    ['file:///d/wf.cwl', 'tool.cwl', 'file:///d/tool.cwl'],
    ['file:///d/wf.cwl', '../tool.cwl#main', 'file:///tool.cwl#main'],
    ['file:///d/wf.cwl#main', '#step', 'file:///d/wf.cwl#step'],
    ['file:///d/wf.cwl', 'A%3AGln2Cys', 'file:///d/A%3AGln2Cys'],
    ['file:///d/wf.cwl', 'A:Gln2Cys', 'file:///d/A:Gln2Cys'],
    ['file:///d/wf.cwl', 'with blank.txt', 'file:///d/with%20blank.txt'],
    ['file:///d/wf.cwl', 'what?.txt', 'file:///d/what%3F.txt'],
    ['file:///d/wf.cwl', '/abs/tool.cwl', 'file:///abs/tool.cwl'],
    ['https://h/x/wf.cwl', 'tool.cwl', 'https://h/x/tool.cwl'],
    ['file:///d/wf.cwl', 'https://h/tool.cwl', 'https://h/tool.cwl'],
    [
      'keep:d41d8cd98f00b204e9800998ecf8427e+0/sub/wf.cwl',
      '../tool.cwl',
      'keep:d41d8cd98f00b204e9800998ecf8427e+0/tool.cwl',
    ],
    ['keep:d41d8cd98f00b204e9800998ecf8427e+0/wf.cwl', '../../../x', 'keep:d41d8cd98f00b204e9800998ecf8427e+0/x'],
  ])('%s with %s is %s', (base, reference, expected) => {
    expect(resolveUri(base, reference)).toBe(expected);
  });

  it('takes a path letter by letter', () => {
    expect(resolvePath('file:///d/job.yml', 'a#b%20c.txt')).toBe('file:///d/a%23b%2520c.txt');
    expect(resolvePath('file:///d/job.yml', '/x/a#b')).toBe('file:///x/a%23b');
  });
});

describe('names', () => {
  it('shortens identifiers', () => {
    expect(['#main/step/in', 'file.cwl#x', 'plain', '#only'].map(shortName)).toEqual(['in', 'x', 'plain', 'only']);
  });

  it('expands prefixes that are declared', () => {
    const namespaces = { edam: 'http://edamontology.org/', cwl: 'https://w3id.org/cwl/cwl#' };
    expect(expandPrefix('edam:format_1', namespaces)).toBe('http://edamontology.org/format_1');
    expect(expandPrefix('other:x', namespaces)).toBe('other:x');
    expect(expandPrefix('constructor:x', namespaces)).toBe('constructor:x');
    expect(vocabularyName('cwl:DockerRequirement', namespaces)).toBe('DockerRequirement');
  });
});
