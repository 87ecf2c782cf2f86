import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import schema from '../../schemas/vkit.server.schema.json' with { type: 'json' };
import { SINKS } from '../../src/audit/sinks/index.js';
import { loadServerConfig } from '../../src/config/server-config.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

async function load(audit: string) {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'vkit.server.yaml'), `audit:\n${audit.replace(/^/gm, '  ')}\n`);
  return { cwd, config: await loadServerConfig({ cwd, environment: {}, flags: {} }) };
}

describe('the settings of the audit log', () => {
  it('are taken as they are documented, paths from the file on', async () => {
    const { cwd, config } = await load(`sinks:
  - {type: postgres, name: primary}
  - {type: s3, name: archive, bucket: audit-archive, retention_days: 2555}
  - {type: webhook, name: siem, url: https://siem.example.com/events}
  - {type: file, name: local, path: audit.jsonl}
  - {type: stdout, name: out}`);
    expect(config.audit.sinks[3]).toMatchObject({ path: join(cwd, 'audit.jsonl') });
    expect(config.audit).toMatchObject({ checkpoint_records: 1_000, checkpoint_seconds: 60 });
    expect(config.audit).not.toHaveProperty('retention_days');
  });

  it('know every type that there is', () => {
    expect(schema.$defs.sink.properties.type.enum).toEqual(Object.keys(SINKS));
  });

  it.each([
    ['an unknown key', 'sinks: [{type: file, name: a, path: x, pth: y}]', 'pth'],
    ['a key of another type', 'sinks: [{type: stdout, name: a, url: "https://x.example"}]', 'url'],
    ['an unknown type', 'sinks: [{type: kafka, name: a}]', 'one of file, postgres'],
    ['a key that is missing', 'sinks: [{type: s3, name: a}]', 'bucket'],
    [
      'a secret in the file',
      'sinks: [{type: webhook, name: a, url: "https://x.example", secret: s}]',
      'secret',
    ],
    ['no name', 'sinks: [{type: stdout}]', 'name'],
    [
      'a name twice',
      'sinks: [{type: stdout, name: a}, {type: stdout, name: a}]',
      'two sinks called',
    ],
    [
      'a file twice',
      'sinks: [{type: file, name: a, path: x}, {type: file, name: b, path: x}]',
      'one file',
    ],
    [
      'two places of a secret',
      'sinks: [{type: webhook, name: a, url: "https://x.example", secret_env: A, secret_file: b}]',
      'Only one of',
    ],
    [
      'retention without a place that keeps',
      'sinks: [{type: stdout, name: a}]\nretention_days: 9',
      'retention_days',
    ],
  ])('refuse %s', async (_name, audit, message) => {
    const error = await load(audit).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'config_invalid' });
    expect(JSON.stringify(error.details.problems)).toContain(message);
  });
});
