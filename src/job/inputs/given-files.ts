import type { Where } from '../../core/errors.ts';
import { jobError } from '../errors.ts';
import { allFileObjects } from '../file-objects.ts';

/**
 * An expression may pass Files on, or make literals; it names no file of the host that lies elsewhere than those it was given.
 * Fails with `job/bad-location`.
 */
export function refuseNewHostFiles(value: unknown, given: unknown, field: string, where: Where): void {
  for (const { location = '', class: kind } of allFileObjects(value)) {
    if (!isHost(location) || isBesideAny(location, given)) continue;
    throw jobError('job/bad-location', `${field}: expected a ${kind} that the step was given, got ${location}`, {
      hint: 'make it an input of the workflow, or the default of one',
      where,
    });
  }
}

/** Whether `location` is in or below the folder of a file that `given` names. */
function isBesideAny(location: string, given: unknown): boolean {
  for (const object of allFileObjects(given))
    if (object.location !== undefined && isBeside(location, object.location)) return true;
  return false;
}

/** Whether `location` is in or below the folder that `file` lies in. */
function isBeside(location: string, file: string): boolean {
  const folder = file.replace(/\/+$/, '').replace(/[^/]*$/, '');
  return normal(location).startsWith(normal(folder));
}

/** Without `..` and `.`; what is no URL stays as it is. */
const normal = (location: string): string => URL.parse(location.replace(/^\//, 'file:///'))?.href ?? location;

const isHost = (location: string): boolean => location.startsWith('file:') || location.startsWith('/');
