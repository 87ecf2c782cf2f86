import { describe, expect, it } from 'vitest';
import { tableFilter } from '../../src/engines/table-filter.js';

describe('the tables of a scan', () => {
  const covers = (include: string[], exclude: string[], table: string) => {
    const [schema = '', name = ''] = table.split('.');
    return tableFilter({ include, exclude })(schema, name);
  };

  it('are all where nothing is said', () => {
    expect(tableFilter()('any', 'thing')).toBe(true);
    expect(covers([], [], 'public.users')).toBe(true);
  });

  it('match the whole of schema.table', () => {
    expect(covers(['public.*'], [], 'public.users')).toBe(true);
    expect(covers(['public.*'], [], 'not_public.users')).toBe(false);
    expect(covers(['public.user'], [], 'public.users')).toBe(false);
    expect(covers(['users'], [], 'public.users')).toBe(false);
    expect(covers(['public.user?'], [], 'public.users')).toBe(true);
    expect(covers(['public.users?'], [], 'public.users')).toBe(false);
    expect(covers(['PUBLIC.users'], [], 'public.users')).toBe(false);
  });

  it('are without those that exclude names, whatever include says', () => {
    expect(covers(['*'], ['*.flyway_*'], 'public.flyway_history')).toBe(false);
    expect(covers(['public.flyway_history'], ['*.flyway_*'], 'public.flyway_history')).toBe(false);
    expect(covers(['*'], ['*.flyway_*'], 'public.users')).toBe(true);
  });

  it('take other characters of patterns literally', () => {
    expect(covers(['public.a+'], [], 'public.aa')).toBe(false);
    expect(covers(['public.[a]'], [], 'public.[a]')).toBe(true);
    expect(covers(['public.a.c'], [], 'public.abc')).toBe(false);
  });

  it('are found in a moment, however many stars there are', () => {
    const startedAt = performance.now();
    expect(tableFilter({ include: [`${'*a'.repeat(200)}b`] })('s', 'a'.repeat(5_000))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
