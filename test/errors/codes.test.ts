import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, isErrorCodeName, VkitError } from '../../src/errors/index.js';
import { packageRoot } from '../../src/util/package-root.js';

const names = Object.keys(ERROR_CODES);

describe('the table of errors', () => {
  it('is sorted, in snake case', () => {
    expect(names).toEqual([...names].sort());
    expect(names.filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
  });

  // cli.md, "Exit codes"; what the contract gives a code of its own is named in the second list.
  it('gives each HTTP status the exit code of the contract', () => {
    const exits: Record<number, number> = {
      404: 2,
      401: 6,
      409: 8,
      410: 3,
      429: 7,
      502: 7,
      503: 7,
      504: 7,
    };
    const others = Object.entries(ERROR_CODES)
      .filter(([, { exit, http }]) => exits[http] !== undefined && exits[http] !== exit)
      .map(([name]) => name);
    expect(others).toEqual(['drift']);
  });

  it('answers "no" with 3, "not allowed" with 6', () => {
    expect(ERROR_CODES.policy_denied).toMatchObject({ exit: 3, http: 403 });
    expect(ERROR_CODES.forbidden).toMatchObject({ exit: 6, http: 403 });
    expect(ERROR_CODES.bundle_signature.exit).toBe(3);
    expect(ERROR_CODES.audit_broken.exit).toBe(3);
  });

  it('is what docs/errors.md says', async () => {
    const page = await readFile(join(packageRoot(), 'docs', 'errors.md'), 'utf8');
    const rows = [...page.matchAll(/^## (\w+)\n\n(.+)\. Exit code (\d+), status (\d+)\.\n\n\S/gm)];
    const documented = Object.fromEntries(
      rows.map(([, name, title, exit, http]) => [
        name,
        { exit: Number(exit), http: Number(http), title },
      ]),
    );
    expect(documented).toEqual(ERROR_CODES);
  });
});

describe('VkitError', () => {
  it('has the exit code and status of its row, and keeps its cause', () => {
    const cause = new Error('deeper');
    const error = new VkitError('conflict', 'It moved.', { hint: 'Look again.', cause });
    expect(error).toMatchObject({ exitCode: 8, httpStatus: 409, hint: 'Look again.', cause });
    expect(error).toBeInstanceOf(Error);
  });

  it('knows codes by their own names only', () => {
    expect(isErrorCodeName('conflict')).toBe(true);
    expect(isErrorCodeName('toString')).toBe(false);
    expect(isErrorCodeName(undefined)).toBe(false);
  });
});
