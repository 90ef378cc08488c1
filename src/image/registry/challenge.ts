/** One challenge of a WWW-Authenticate header: RFC 9110 section 11.6.1. Scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const maxHeaderLength = 16 * 1024;

/** The challenges of the header's values; what is malformed ends the parsing, what came before it counts. */
export function parseChallenges(values: string | readonly string[] | undefined): Challenge[] {
  const text = (Array.isArray(values) ? values.join(', ') : ((values as string | undefined) ?? '')).slice(
    0,
    maxHeaderLength,
  );
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  const token = /[\s,]*([\w!#$%&'*+.^`|~-]+)(\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [, name = '', assignment, quoted, bare] = match;
    const last = found.at(-1);
    if (assignment === undefined) found.push({ scheme: name.toLowerCase(), parameters: {} });
    else if (last) last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
  }
  return found;
}
