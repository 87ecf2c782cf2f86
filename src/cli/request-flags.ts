import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';

/** The argument and the flag that name a request; read them with `requireOneOf`. */
export const requestArgs = { id: argument({ description: 'The request (req_…).' }) };

export const requestFlags = {
  request: string({
    description: 'The request, if it is not the argument.',
    aliases: ['request-id'],
    helpValue: 'ID',
  }),
};

/** What `--state` of the lists of requests takes. */
export const REQUEST_STATES = [
  'all',
  'pending',
  'approved',
  'denied',
  'expired',
  'cancelled',
] as const;
