import { describe, expect, it } from 'vitest';
import { gitHubPlace } from '../../src/git/github-place.js';

describe('the place on GitHub', () => {
  it.each([
    'https://github.com/acme/policies.git',
    'https://x-access-token:secret@github.com/acme/policies',
    'git@github.com:acme/policies.git',
    'ssh://git@github.com/acme/policies.git',
    'ssh://git@github.com:22/acme/policies',
    'ssh://git@ssh.github.com:443/acme/policies.git',
  ])('is that of the remote %s', (url) => {
    expect(gitHubPlace({}, url)).toEqual({
      repository: 'acme/policies',
      apiUrl: 'https://api.github.com',
      serverUrl: 'https://github.com',
    });
  });

  it('is what GitHub Actions says, wherever the remote is', () => {
    const settings = {
      repository: 'acme/policies',
      apiUrl: 'https://git.acme.test/api/v3/',
      serverUrl: 'https://git.acme.test',
    };
    expect(gitHubPlace(settings, '/srv/git/policies.git')).toEqual({
      repository: 'acme/policies',
      apiUrl: 'https://git.acme.test/api/v3',
      serverUrl: 'https://git.acme.test',
    });
  });

  it.each([
    ['https://git.acme.test/api/v3', 'https://git.acme.test'],
    ['https://api.acme.ghe.com', 'https://acme.ghe.com'],
    ['http://127.0.0.1:8080/api', 'http://127.0.0.1:8080'],
  ])('has the pages of %s at %s', (apiUrl, serverUrl) => {
    expect(gitHubPlace({ apiUrl, repository: 'a/b' }, null).serverUrl).toBe(serverUrl);
  });

  it.each([
    ['a remote on another host', {}, 'https://gitlab.com/acme/policies.git'],
    ['a host that only begins like it', {}, 'https://github.com.mallory.test/acme/policies.git'],
    ['a path', {}, '/srv/git/policies.git'],
    ['no remote', {}, null],
    ['more than owner and name', {}, 'https://github.com/acme/data/policies.git'],
    ['a name with a way out', { repository: 'acme/../other' }, null],
    ['a name with a query', { repository: 'acme/policies?x=1' }, null],
    ['the token in the clear', { apiUrl: 'http://git.acme.test/api/v3', repository: 'a/b' }, null],
    ['a login in the address', { apiUrl: 'https://u:p@api.github.com', repository: 'a/b' }, null],
    ['no address', { apiUrl: 'api.github.com', repository: 'a/b' }, null],
  ])('is not %s', (_name, settings, url) => {
    expect(() => gitHubPlace(settings, url)).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    );
  });
});
