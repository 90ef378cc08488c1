import { apiError } from '../../api/errors.ts';
import { show } from '../store/attributes.ts';

export function badFilter(filter: unknown, expected: string) {
  return apiError('api/bad-filter', `cannot filter by ${show(filter)}: ${expected}`, {
    hint: 'see "Available list method filters" of the Arvados API',
  });
}
