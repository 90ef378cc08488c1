import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withCode } from '../../../test/fakes/job-kit.ts';
import { readArvadosSettings } from './arvados-settings.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hallmark-settings-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const read = (environment: Record<string, string> = {}) => readArvadosSettings({ HOME: home, ...environment });

function writeSettings(text: string, folder = join(home, '.config')): void {
  mkdirSync(join(folder, 'arvados'), { recursive: true });
  writeFileSync(join(folder, 'arvados/settings.conf'), text);
}

const given = { ARVADOS_API_HOST: 'zzzzz.example.org', ARVADOS_API_TOKEN: 'v2/zzzzz-gj3su-000000000000000/abc' };

describe('the cluster to use', () => {
  it('is the embedded one unless another is named', () => {
    expect(read()).toBeUndefined();
    expect(read({ ARVADOS_API_TOKEN: 'abc' })).toBeUndefined();
    expect(read({ ARVADOS_API_HOST: '' })).toBeUndefined();
  });

  it('is that of the environment', () => {
    expect(read(given)).toEqual({
      url: 'https://zzzzz.example.org',
      token: given.ARVADOS_API_TOKEN,
      insecure: false,
      keepServices: [],
    });
    const more = { ARVADOS_API_HOST_INSECURE: 'true', ARVADOS_KEEP_SERVICES: ' https://a:1/  https://b ' };
    expect(read({ ...given, ...more })).toMatchObject({ insecure: true, keepServices: ['https://a:1', 'https://b'] });
    expect(read({ ...given, ARVADOS_API_HOST: 'http://127.0.0.1:8000' })?.url).toBe('http://127.0.0.1:8000');
  });

  it('is that of the file, each setting unless the environment has it', () => {
    writeSettings(
      '# mine\n\nARVADOS_API_HOST=file.example:8443\nARVADOS_API_TOKEN=a=b\nARVADOS_API_HOST_INSECURE=yes\n',
    );
    expect(read()).toMatchObject({ url: 'https://file.example:8443', token: 'a=b', insecure: true });
    expect(read({ ARVADOS_API_TOKEN: 'mine', ARVADOS_API_HOST_INSECURE: '0' })).toMatchObject({
      url: 'https://file.example:8443',
      token: 'mine',
      insecure: false,
    });
    expect(read({ ARVADOS_API_HOST: '' })).toBeUndefined();
    writeSettings('ARVADOS_API_HOST=xdg.example\nARVADOS_API_TOKEN=a\n', join(home, 'xdg'));
    expect(read({ XDG_CONFIG_HOME: join(home, 'xdg') })?.url).toBe('https://xdg.example');
  });
});

describe('a setting that cannot be', () => {
  it.each<[RegExp, Record<string, string>]>([
    [/^ARVADOS_API_HOST names zzzzz\.example\.org, but ARVADOS_API_TOKEN is not set$/, { ARVADOS_API_TOKEN: '' }],
    [/^expected ARVADOS_API_TOKEN to be one word/, { ARVADOS_API_TOKEN: 'two words' }],
    [/^expected ARVADOS_API_HOST to be HOST or HOST:PORT, got "not a host"$/, { ARVADOS_API_HOST: 'not a host' }],
    [
      /^expected ARVADOS_API_HOST to be .* got "https:\/\/x\/arvados\/v1"$/,
      { ARVADOS_API_HOST: 'https://x/arvados/v1' },
    ],
    [/^expected ARVADOS_API_HOST to be .* got "https:\/\/…@x"$/, { ARVADOS_API_HOST: 'https://me:secret@x' }],
    [/^ARVADOS_API_HOST names http:\/\/x: the token would go over the network/, { ARVADOS_API_HOST: 'http://x' }],
    [/^expected ARVADOS_KEEP_SERVICES to be .* got "keep:1"$/, { ARVADOS_KEEP_SERVICES: 'keep:1' }],
  ])('is one line: %s', (message, more) => {
    expect(() => read({ ...given, ...more })).toThrowError(withCode('cli/bad-config', message));
  });

  it('may be in the file', () => {
    writeSettings('ARVADOS_API_HOST\n');
    expect(() => read()).toThrowError(withCode('cli/bad-config', /settings\.conf: expected lines NAME=value/));
  });
});
