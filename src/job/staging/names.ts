import { jobError } from '../errors.ts';

/** A basename that may become the name of a file: no slash, no NUL, neither empty nor `.` or `..`. Fails with `job/bad-name`. */
export function checkBasename(name: string, field: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)) return name;
  throw jobError('job/bad-name', `${field}: expected a file name, got ${JSON.stringify(name.slice(0, 200))}`, {
    hint: 'use a name without "/", other than "." and ".."',
  });
}

/** A relative path that stays where it starts, `./` and doubled slashes taken out. Fails with `job/bad-name`. */
export function checkRelativePath(path: string, field: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || path.includes('\0') || parts.includes('..') || parts.length === 0) {
    throw jobError(
      'job/bad-name',
      `${field}: expected a path inside the output directory, got ${JSON.stringify(path.slice(0, 200))}`,
      {
        hint: 'use a relative path without ".."',
      },
    );
  }
  return parts.join('/');
}
