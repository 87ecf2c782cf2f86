import { isErrorCodeName, VkitError } from '../../errors/index.js';
import { boundedText } from '../../util/bounded-text.js';
import type { LeaseAnswer, LeaseBody, Redemption } from './wire.js';

export interface ControlLinkOptions {
  /** The control plane, without a slash at the end. */
  url: string;
  /** The secret that control plane and executors share. */
  token: string;
  fetch: typeof globalThis.fetch;
}

/** What an executor asks of its control plane; without an answer every one of these throws. */
export interface ControlLink {
  redeem(ticket: string, signal: AbortSignal): Promise<Redemption>;
  /** The document of a bundle, as it was uploaded. */
  bundle(checksum: string): Promise<string>;
  lease(grants: readonly string[], signal: AbortSignal): Promise<LeaseAnswer>;
}

/** A bundle has 64 MiB at most; everything else is small. */
const TEXT_BYTES_MAX = 80 * 1024 * 1024;
const ANSWER_MS_MAX = 5_000;
const BUNDLE_MS_MAX = 60_000;

export function controlLink({ url, token, fetch }: ControlLinkOptions): ControlLink {
  const ask = async (
    path: string,
    { body, signal }: { body?: object; signal: AbortSignal },
  ): Promise<string> => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}/api/v1/executor${path}`, {
        method: body ? 'POST' : 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        redirect: 'error',
        signal,
      });
      text = await boundedText(response, TEXT_BYTES_MAX);
    } catch (cause) {
      if (cause instanceof RangeError) throw unusable('an answer that is too long');
      throw new VkitError('unavailable', 'The control plane cannot be reached.', {
        hint: 'See that VKIT_API_URL names it, and that it runs.',
        cause,
      });
    }
    if (!response.ok) throw refusalOf(response.status, text);
    return text;
  };
  const timeout = (milliseconds: number, signal?: AbortSignal): AbortSignal => {
    const late = AbortSignal.timeout(milliseconds);
    return signal ? AbortSignal.any([signal, late]) : late;
  };
  return {
    async redeem(ticket, signal) {
      const text = await ask('/redeem', {
        body: { ticket },
        signal: timeout(ANSWER_MS_MAX, signal),
      });
      return parsed(text) as Redemption;
    },
    bundle: (checksum) =>
      ask(`/bundles/${encodeURIComponent(checksum)}`, { signal: timeout(BUNDLE_MS_MAX) }),
    async lease(grants, signal) {
      const body: LeaseBody = { grants: [...grants] };
      return parsed(await ask('/lease', { body, signal })) as LeaseAnswer;
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unusable('no JSON');
  }
}

function refusalOf(status: number, text: string): VkitError {
  let told: { type?: unknown; error?: unknown; hint?: unknown } = {};
  try {
    told = JSON.parse(text);
  } catch {
    // A proxy's page, say: the status tells enough.
  }
  if (status === 401) {
    return new VkitError('unavailable', 'The control plane does not take the executor’s token.', {
      hint: 'Give both the same VKIT_EXECUTOR_TOKEN.',
    });
  }
  if (!isErrorCodeName(told.type) || typeof told.error !== 'string')
    return unusable(`status ${status}`);
  return new VkitError(
    told.type,
    told.error,
    typeof told.hint === 'string' ? { hint: told.hint } : {},
  );
}

function unusable(what: string): VkitError {
  return new VkitError('unavailable', 'The control plane gave an answer that is none.', {
    cause: new Error(what),
  });
}
