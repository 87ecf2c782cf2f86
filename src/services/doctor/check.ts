import { ERROR_CODES, type ErrorCodeName, VkitError } from '../../errors/index.js';
import { maskSecrets } from '../../util/mask-secrets.js';

/** What the doctor found of one thing. */
export interface DoctorCheck {
  /** `node`, `keys.private`, `datasource.shop`. */
  id: string;
  /** `skipped`: it could not be looked at, or there is none; the message says which. */
  state: 'ok' | 'warning' | 'failed' | 'skipped';
  message: string;
  /** How to mend it; absent where nothing is to be mended. */
  hint?: string;
  /** Of the error that it failed by; absent where it was found otherwise. */
  code?: ErrorCodeName;
}

export function ok(id: string, message: string): DoctorCheck {
  return { id, state: 'ok', message };
}

export function warning(id: string, message: string, hint: string): DoctorCheck {
  return { id, state: 'warning', message, hint };
}

export function failed(
  id: string,
  message: string,
  hint: string,
  code?: ErrorCodeName,
): DoctorCheck {
  return { id, state: 'failed', message, hint, ...(code === undefined ? {} : { code }) };
}

export function skipped(id: string, message: string, hint?: string): DoctorCheck {
  return { id, state: 'skipped', message, ...(hint === undefined ? {} : { hint }) };
}

/** What was thrown as a check that failed: with the places of the first problems, without a secret. */
export function failedBy(id: string, error: unknown, problemsMax = 3): DoctorCheck {
  if (!(error instanceof VkitError)) {
    return failed(id, 'It could not be looked at.', 'Run it again with VKIT_DEBUG=1.');
  }
  const problems = error.details?.problems ?? [];
  const shown = problems.slice(0, problemsMax).map(({ file, line, message }) => {
    const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
    return `${place}${message}`;
  });
  const more = problems.length > problemsMax ? [`and ${problems.length - problemsMax} more`] : [];
  return failed(
    id,
    maskSecrets([error.message, ...shown, ...more].join(' ')),
    maskSecrets(error.hint ?? 'Correct what is named.'),
    error.code,
  );
}

/** 0 where nothing failed, 7 where all that failed is something that could not be reached, else 3. */
export function exitCodeOfChecks(checks: readonly DoctorCheck[]): 0 | 3 | 7 {
  const codes = checks.flatMap(({ state, code }) => (state === 'failed' ? [code] : []));
  if (codes.length === 0) return 0;
  return codes.every((code) => code !== undefined && ERROR_CODES[code].exit === 7) ? 7 : 3;
}

/** Waits for work at most so long; what it does afterwards is nobody's any more. */
export async function within<T>(milliseconds: number, work: Promise<T>, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late()), milliseconds);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
