import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type ImageErrorCode =
  | 'image/bad-reference'
  | 'image/bad-manifest'
  | 'image/unsupported-manifest'
  | 'image/bad-archive'
  | 'image/no-such-tag'
  | 'image/unsafe-layer'
  | 'image/digest-mismatch'
  | 'image/blob-missing'
  | 'image/blob-damaged'
  | 'image/cache-failed'
  | 'image/no-platform'
  | 'image/not-found'
  | 'image/unauthorized'
  | 'image/forbidden'
  | 'image/rate-limited'
  | 'image/registry-unavailable'
  | 'image/registry-unreachable'
  | 'image/registry-error'
  | 'image/registry-blocked'
  | 'image/bad-registries-conf'
  | 'image/bad-credentials'
  | 'image/bad-dockerfile'
  | 'image/unsupported-instruction'
  | 'image/build-step-failed'
  | 'image/context-escape'
  | 'image/bad-package-query';

export const imageError = (
  code: ImageErrorCode,
  message: string,
  details?: ErrorDetails,
): HallmarkError<ImageErrorCode> => new HallmarkError(code, message, details);
