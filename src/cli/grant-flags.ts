import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';

/** The argument and the flag that name a grant; read them with `requireOneOf`. */
export const grantArgs = { ref: argument({ description: 'The grant (gr_…).' }) };

export const grantFlags = {
  grant: string({
    char: 'g',
    description: 'The grant, if it is not the argument.',
    helpValue: 'REF',
  }),
};
