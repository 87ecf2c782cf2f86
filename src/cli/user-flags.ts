import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';

/** The argument and the flag that name a user; read them with `requireOneOf`. */
export const userArgs = { id: argument({ description: 'The user: an id or an email address.' }) };

export const userFlags = {
  id: string({
    description: 'The user, if it is not the argument.',
    aliases: ['email'],
    helpValue: 'ID',
  }),
};
