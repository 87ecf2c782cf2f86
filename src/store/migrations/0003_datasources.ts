import type { Migration } from './migration.js';

/** Databases that the server knows by itself, and secrets as they are sealed: what is beside the five parts is how they are found. */
export const datasources: Migration = {
  version: 3,
  name: '0003_datasources',
  statements: [
    `create table datasources (
      id text primary key not null,
      engine text not null,
      environment text not null,
      region text,
      config text not null,
      include text,
      exclude text,
      username text,
      created_at text not null,
      updated_at text not null
    )`,
    `create table secrets (
      kind text not null,
      id text not null,
      key_id text not null,
      salt text not null,
      nonce text not null,
      ciphertext text not null,
      tag text not null,
      primary key (kind, id)
    )`,
  ],
};
