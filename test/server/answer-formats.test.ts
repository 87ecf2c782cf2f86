import { describe, expect, it } from 'vitest';
import { VkitError } from '../../src/errors/index.js';
import { answerFormat } from '../../src/server/answer-formats.js';

describe('the format of an answer', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['application/*', 'json'],
    ['application/json', 'json'],
    ['application/x-ndjson', 'ndjson'],
    ['TEXT/CSV', 'csv'],
    ['text/*', 'csv'],
    ['text/csv; charset=utf-8', 'csv'],
    ['application/json, text/plain, */*', 'json'],
    ['text/csv, application/json', 'csv'],
    ['text/csv, */*', 'csv'],
    ['text/html, application/x-ndjson', 'ndjson'],
    // Weights count before places.
    ['application/json;q=0.5, text/csv', 'csv'],
    ['text/csv;q=0.1, application/x-ndjson ; Q=0.2', 'ndjson'],
    ['text/csv;q=0, application/json', 'json'],
    ['text/csv;q=0, */*', 'json'],
    ['application/json;q=0, application/*', 'ndjson'],
    ['text/csv;q=x, application/json;q=0.1', 'json'],
  ])('for Accept: %j is %s', (accept, name) => {
    expect(answerFormat(accept).name).toBe(name);
  });

  it.each([
    'text/html',
    'image/*',
    'text/csv;q=0',
    'application/json;q=2',
    'csv',
    ',',
    'constructor',
  ])('is refused for Accept: %j', (accept) => {
    expect(() => answerFormat(accept)).toThrow(VkitError);
  });
});
