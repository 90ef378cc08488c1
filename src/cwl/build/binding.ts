import type { CommandLineBinding, LoadListing, OutputBinding } from '../model.ts';
import { booleanOf, field, type Node, stringOf } from '../syntax/node.ts';
import { strings } from './read.ts';

export function readCommandLineBinding(node: Node | undefined): CommandLineBinding | undefined {
  if (node?.kind !== 'map') return undefined;
  const position = field(node, 'position');
  const number =
    position?.kind === 'scalar' && typeof position.value === 'number' ? position.value : stringOf(position);
  return {
    ...(number !== undefined && { position: number }),
    ...stringField(node, 'prefix'),
    ...booleanField(node, 'separate'),
    ...stringField(node, 'itemSeparator'),
    ...stringField(node, 'valueFrom'),
    ...booleanField(node, 'shellQuote'),
    ...booleanField(node, 'loadContents'),
  };
}

export function readOutputBinding(node: Node | undefined): OutputBinding | undefined {
  if (node?.kind !== 'map') return undefined;
  const loadListing = readLoadListing(field(node, 'loadListing'));
  return {
    glob: strings(field(node, 'glob')),
    ...booleanField(node, 'loadContents'),
    ...(loadListing && { loadListing }),
    ...stringField(node, 'outputEval'),
  };
}

const listings = new Set(['no_listing', 'shallow_listing', 'deep_listing']);
export function readLoadListing(node: Node | undefined): LoadListing | undefined {
  const text = stringOf(node);
  return text !== undefined && listings.has(text) ? (text as LoadListing) : undefined;
}

export function stringField<Name extends string>(node: Node, name: Name): { readonly [key in Name]?: string } {
  const text = stringOf(field(node, name));
  return (text === undefined ? {} : { [name]: text }) as { readonly [key in Name]?: string };
}

function booleanField<Name extends string>(node: Node, name: Name): { readonly [key in Name]?: boolean } {
  const value = booleanOf(field(node, name));
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: boolean };
}
