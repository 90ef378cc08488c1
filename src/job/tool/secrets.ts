import { cwltoolPrefix } from '../../cwl/schema/requirement.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';
import type { Requirements } from '../model.ts';
import { findRequirement } from '../requirements.ts';

/** Ids of the inputs that `cwltool:Secrets` names. */
export function secretInputs(requirements: Requirements): string[] {
  const named = findRequirement(requirements, `${cwltoolPrefix}Secrets`)?.fields.secrets ?? [];
  return (Array.isArray(named) ? named : [named]).map((id) => String(id).replace(/^.*[#/]/, ''));
}

/** Values that may appear in no record. */
export function secretValues(inputs: CwlObject, ids: readonly string[]): string[] {
  const collect = (value: unknown): string[] => {
    if (typeof value === 'string') return value === '' ? [] : [value];
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(collect) : [];
  };
  return ids.flatMap((id) => collect(inputs[id]));
}

/** Fails with `job/bad-binding` when a secret would be readable in the record of the job. */
export function refuseLeak(texts: Iterable<string>, secrets: readonly string[], where: string): void {
  for (const text of texts) {
    if (!secrets.some((secret) => text.includes(secret))) continue;
    throw jobError('job/bad-binding', `a secret input would show in the ${where}`, {
      hint: 'pass secrets in files of InitialWorkDirRequirement only',
    });
  }
}
