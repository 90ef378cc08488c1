import type { Distribution } from './model.ts';

/** os-release(5); undefined where it names no ID. */
export function parseDistribution(text: string): Distribution | undefined {
  const fields = new Map(
    text.split('\n').flatMap((line) => {
      const [, name, value = ''] = /^([A-Z_]+)=(.*)$/.exec(line.trim()) ?? [];
      return name ? [[name, value.replace(/^(["'])(.*)\1$/, '$2')] as const] : [];
    }),
  );
  const [id, version] = [fields.get('ID'), fields.get('VERSION_ID')];
  return id ? { id, ...(version && { version }) } : undefined;
}
