import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedKeys } from '../../src/util/repeated-keys.js';
import { casesOfRun } from '../helpers/property-runs.js';

function places(text: string): readonly string[] {
  return repeatedKeys(text, JSON.parse(text));
}

describe('repeatedKeys', () => {
  it.each([
    ['{"a":1,"a":1}', ['/a']],
    ['{"a":1 , "b" : {"c":[{},{"d":"x","d"\n:2}]}}', ['/b/c/1/d']],
    ['{"a":1,"\\u0061":2}', ['/a']],
    ['{"a/b~":{},"a/b~":[]}', ['/a~1b~0']],
    ['{"":1,"":2}', ['/']],
    ['{"__proto__":1,"__proto__":2}', ['/__proto__']],
    ['[[1,2],{"x":[1,{"y":1,"z":2,"y":3}]}]', ['/1/x/1/y']],
    ['{"a":{"b":1},"a":{"b":1,"b":2}}', ['/a', '/a/b']],
  ])('finds every key of %s that stands twice', (text, expected) => {
    expect(places(text)).toEqual(expected);
  });

  it.each([
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a":"\\"a\\":1,\\"a\\":2","b":"\\\\"}',
    '{"a":":","b":"\\\\\\":","c":"{\\"c\\":1}"}',
    '{"ä":1,"a\u0308":2}',
    '"a"',
    '[]',
    '1e20',
  ])('takes %s for what it is', (text) => {
    expect(places(text)).toEqual([]);
  });

  it('cannot be made to count wrong by numbers, spaces or escapes', () => {
    const key = fc.constantFrom('a', 'b', '"', '\\', ':', '\\"', 'é', '{');
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.jsonValue()), { maxLength: 6 }), (members) => {
        const text = `{${members.map(([name, value]) => `${JSON.stringify(name)} :${JSON.stringify(value)}`).join(', ')}}`;
        const names = members.map(([name]) => name);
        expect(places(text).length > 0).toBe(new Set(names).size < names.length);
      }),
      { numRuns: casesOfRun(300) },
    );
  });

  it('survives any depth', () => {
    const deep = 100_000;
    const text = `${'{"a":['.repeat(deep)}{"k":1,"k":2}${']}'.repeat(deep)}`;
    expect(places(text)[0]).toMatch(/^(\/a\/0)+.*…$/);
  });
});
