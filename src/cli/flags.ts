import { boolean, custom, string } from '@oclif/core/flags';
import { VkitError } from '../errors/index.js';
import { PROJECT_PATHS } from '../project/paths.js';
import { parseDuration } from '../util/duration.js';

/** Flags of every command that talks to a server; the values come through `serverAddress`. */
export const serverFlags = {
  endpoint: string({
    char: 'e',
    description: 'Server address; else VKIT_API_URL, or the one of the last login.',
    helpGroup: 'SERVER',
    helpValue: 'URL',
  }),
  profile: string({
    description: 'Which login to use, where there are several.',
    helpGroup: 'SERVER',
    helpValue: 'NAME',
  }),
};

/** The flag of every command that works on a project's files. */
export const projectFlags = {
  dir: string({
    description: 'Folder of the project; else the nearest one above with a vkit project.',
    helpValue: 'FOLDER',
  }),
};

/** Where the parts of a project are, for commands that read all of them. */
export const projectFolderFlags = {
  'policies-dir': string({
    description: 'Folder of the policies.',
    default: PROJECT_PATHS.policies,
  }),
  'registry-dir': string({
    description: 'Folder of registry.yaml.',
    default: PROJECT_PATHS.registryFolder,
  }),
  'datasources-dir': string({
    description: 'Folder of the datasource files.',
    default: PROJECT_PATHS.datasources,
  }),
};

/** The flag of a command that asks before it destroys something. */
export const forceFlags = {
  force: boolean({ description: 'Do not ask.' }),
};

/** The two ways to give a password besides a prompt; read them with `readPassword`. */
export const passwordFlags = {
  password: string({
    description: 'Password; others can read it in the shell history, --password-stdin is safer.',
    helpValue: 'TEXT',
  }),
  'password-stdin': boolean({ description: 'Read the password from stdin.' }),
};

/** A flag that takes `30s`, `15m`, `1h`, `2d` or seconds, and gives seconds. */
export const durationFlag = custom<number>({
  helpValue: '15m',
  parse: async (input, _context, options) => {
    try {
      return parseDuration(input);
    } catch (cause) {
      // The value is not repeated: it may be a secret that was put in the wrong place.
      const hint = cause instanceof RangeError ? cause.message : undefined;
      const message = `The flag --${options.name} does not take this value.`;
      throw new VkitError('usage', message, hint === undefined ? {} : { hint });
    }
  },
});

/** A flag that takes a JSON object, and gives it parsed. */
export const jsonFlag = custom<Record<string, unknown>>({
  helpValue: 'JSON',
  parse: async (input, _context, options) => {
    const value = parseJson(input);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    throw new VkitError('usage', `The flag --${options.name} takes a JSON object.`, {
      hint: `Write it in single quotes: --${options.name} '{"key": "value"}'`,
    });
  },
});

/** A flag that takes a whole number from `min` to `max`, both included. */
export const countFlag = custom<number, { min?: number; max?: number }>({
  helpValue: 'N',
  parse: async (input, _context, options) => {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
    const value = /^\d{1,16}$/.test(input) ? Number(input) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new VkitError('usage', `The flag --${options.name} does not take this value.`, {
      hint: `It takes a whole number from ${min} to ${max}.`,
    });
  },
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is reported as the wrong kind of value, without quoting it.
    return undefined;
  }
}
