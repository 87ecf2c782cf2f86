import { describe, expect, it } from 'vitest';
import { findSecrets } from '../../src/bundle/find-secrets.js';

describe('findSecrets', () => {
  it.each([
    [{ password: 'x' }],
    [{ config: { dbPassword: 'x' } }],
    [{ list: [{ 'API-TOKEN': 'x' }] }],
    [{ passwd: 1234 }],
    [{ secret: { nested: true } }],
    [{ url: 'postgres://user:pw@db/shop' }],
    [{ host: 'https://token@example.com' }],
    [{ options: 'host=db password=x' }],
    [{ dsn: 'jdbc:postgresql://db/shop?user=a&password=x' }],
    [{ ca: '-----BEGIN RSA PRIVATE KEY-----\nabc' }],
    [{ ca: '-----BEGIN PRIVATE KEY-----\nabc' }],
  ])('finds the one in %j', (value) => {
    const findings = findSecrets(value);
    expect(findings).toHaveLength(1);
  });

  it('finds what is nested deeper than anybody looks', () => {
    let value: unknown = { password: 'x' };
    for (let level = 0; level < 20; level += 1) value = { level: value };
    expect(findSecrets(value)).toHaveLength(1);
  });

  it.each([
    [
      {
        host: 'db.internal',
        port: 5432,
        ssl_mode: 'verify-full',
        ca: '-----BEGIN CERTIFICATE-----',
      },
    ],
    [{ url: 'https://db.example.com/path?x=@' }],
    [{ path: './data.db', database: 'tokens_archive', description: 'Passwords are hashed' }],
    [{ password: null }],
    [{ password_policy: 'strict', username: 'reader' }],
  ])('leaves %j alone', (value) => {
    expect(findSecrets(value)).toEqual([]);
  });
});
