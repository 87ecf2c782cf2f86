import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../src/util/package-root.js';
import { startServe } from '../e2e/serve-process.js';
import { gitHubProblems } from '../helpers/github-parser.js';
import { jsonOf } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { driftProject } from './drift-fixture.js';
import { type CliProject, emptyFolder, git, shopProject } from './project-fixture.js';

const DRIFT = '.github/workflows/vkit-drift.yml';
const DEPLOY = '.github/workflows/vkit-deploy.yml';

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

interface Job {
  if?: string;
  permissions: Record<string, string>;
  steps: Step[];
  defaults: { run: { shell: string; 'working-directory': string } };
}

interface Workflow {
  on: Record<string, unknown>;
  permissions: object;
  jobs: Record<string, Job>;
}

async function workflowsOf({ root }: CliProject): Promise<[drift: Workflow, deploy: Workflow]> {
  const read = async (path: string) => parse(await readFile(join(root, path), 'utf8')) as Workflow;
  return [await read(DRIFT), await read(DEPLOY)];
}

/** Runs the scripts of a job as a runner does, but the one that gets vkit from npm: this build is on the PATH instead. */
async function runJob(
  { root }: CliProject,
  { steps, defaults }: Job,
  values: Record<string, string>,
): Promise<string> {
  const bin = await temporaryFolder();
  const runnerTemp = await temporaryFolder();
  await symlink(join(packageRoot(), 'bin/run.js'), join(bin, 'vkit'));
  let output = '';
  for (const { run, env = {} } of steps) {
    if (run === undefined || run.startsWith('npm install')) continue;
    const filled = Object.entries(env).map(([name, text]) => [
      name,
      text.replace(/\$\{\{ (\S+) \}\}/g, (_all, key: string) => values[key] ?? ''),
    ]);
    const { stdout, stderr } = await promisify(execFile)(
      'bash',
      ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run],
      {
        cwd: join(root, defaults.run['working-directory']),
        env: {
          ...values,
          ...Object.fromEntries(filled),
          PATH: [bin, process.env.PATH].join(delimiter),
          HOME: runnerTemp,
          RUNNER_TEMP: runnerTemp,
        },
      },
    );
    output += stdout + stderr;
  }
  const left = await readdir(runnerTemp);
  expect(left.filter((name) => name.endsWith('.pem'))).toEqual([]);
  return output;
}

describe('init --github', () => {
  it('writes two workflows that GitHub understands, and an action that it does', async () => {
    const project = await emptyFolder();
    const { root, ok } = project;
    const made = jsonOf<{ written: string[] }>(await ok(['init', '--github', '--json']));
    expect(made.written).toEqual(expect.arrayContaining(['vkit.yaml', DRIFT, DEPLOY]));
    for (const path of [DRIFT, DEPLOY]) {
      const text = await readFile(join(root, path), 'utf8');
      expect(await gitHubProblems('workflow', text), path).toEqual([]);
      expect(text).not.toContain('__');
      const misspelt = text.replace('timeout-minutes:', 'timeout-minuts:');
      expect(await gitHubProblems('workflow', misspelt)).not.toEqual([]);
    }
    const action = await readFile(join(packageRoot(), 'lib/github/action.yml'), 'utf8');
    expect(await gitHubProblems('action', action)).toEqual([]);
    expect(await gitHubProblems('action', action.replace('using:', 'used:'))).not.toEqual([]);
  });

  it('asks for the least, uses secrets on the default branch only, and lets nothing from outside into a script', async () => {
    const project = await emptyFolder();
    await project.ok(['init', '--github']);
    const [drift, deploy] = await workflowsOf(project);
    expect(Object.keys(drift.on)).toEqual(['schedule', 'push', 'workflow_dispatch']);
    expect(Object.keys(deploy.on)).toEqual(['push', 'pull_request']);
    expect([drift.permissions, deploy.permissions]).toEqual([{}, {}]);
    expect(drift.jobs.drift?.permissions).toEqual({ contents: 'write', 'pull-requests': 'write' });
    expect(deploy.jobs.check?.permissions).toEqual({ contents: 'read' });
    expect(deploy.jobs.deploy?.permissions).toEqual({ contents: 'read' });
    const jobs = [...Object.values(drift.jobs), ...Object.values(deploy.jobs)];
    expect(jobs).toHaveLength(3);
    for (const job of jobs) {
      if (JSON.stringify(job).includes('secrets.')) {
        expect(job.if).toContain('github.ref_name == github.event.repository.default_branch');
      }
    }
    const action = parse(await readFile(join(packageRoot(), 'lib/github/action.yml'), 'utf8'));
    for (const { uses, run, with: inputs } of [...jobs, action.runs].flatMap(
      ({ steps }) => steps as Step[],
    )) {
      expect(uses ?? 'run').toMatch(/^(run|actions\/(checkout|setup-node)@[0-9a-f]{40})$/);
      expect(run ?? '').not.toContain('${{');
      if (uses?.startsWith('actions/checkout'))
        expect(inputs).toMatchObject({ 'persist-credentials': false });
    }
    const { version } = JSON.parse(await readFile(join(packageRoot(), 'package.json'), 'utf8'));
    expect(action.inputs.version.default).toBe(version);
    expect(JSON.stringify(jobs)).toContain(`vkit@${version}`);
  });

  it('in a project that is there writes the workflows alone, with the logins of its datasources', async () => {
    const project = await shopProject();
    const { root, ok } = project;
    await ok(['datasource', 'add', 'crm', '--url', 'postgres://127.0.0.1:1/crm']);
    const settings = await readFile(join(root, 'vkit.yaml'), 'utf8');
    await writeFile(join(root, 'vkit.yaml'), `${settings}# mine\n`);
    const made = jsonOf(await ok(['init', '--github', '--json']));
    expect(made).toMatchObject({ root, written: [DEPLOY, DRIFT] });
    expect(await readFile(join(root, 'vkit.yaml'), 'utf8')).toContain('# mine');
    const env = (await workflowsOf(project))[0].jobs.drift?.steps.at(-1)?.env ?? {};
    expect(Object.keys(env)).toEqual([
      'GITHUB_TOKEN',
      'VKIT_DS_CRM_USERNAME',
      'VKIT_DS_CRM_PASSWORD',
    ]);
  });

  it('writes over no workflow that somebody changed, unless --force says so', async () => {
    const { root, ok, run } = await shopProject();
    await ok(['init', '--github']);
    const text = await readFile(join(root, DRIFT), 'utf8');
    await writeFile(join(root, DRIFT), `${text}# mine\n`);
    const kept = await ok(['init', '--github', '--json']);
    expect(jsonOf(kept)).toMatchObject({ written: [], github: { written: [], kept: [DRIFT] } });
    expect(kept.stderr).toContain('--force');
    expect(await readFile(join(root, DRIFT), 'utf8')).toContain('# mine');
    await writeFile(join(root, 'vkit.yaml'), 'org: changed\n');
    await ok(['init', '--github', '--force']);
    expect(await readFile(join(root, DRIFT), 'utf8')).toBe(text);
    expect(await readFile(join(root, 'vkit.yaml'), 'utf8')).toBe('org: changed\n');
    expect((await run(['init'])).code).toBe(8);
  });

  it('names the default branch of the remote, where it knows it', async () => {
    const { root, ok } = await emptyFolder();
    await git(root, 'init', '-q', '-b', 'mine');
    await git(root, 'symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/tr#nk');
    await ok(['init', '--github']);
    for (const path of [DRIFT, DEPLOY]) {
      const { on } = parse(await readFile(join(root, path), 'utf8')) as Workflow;
      expect(on.push).toEqual({ branches: ['tr#nk'] });
    }
  });

  it('writes to the root of the repository, where policy init is given a folder below it', async () => {
    const { root, ok } = await emptyFolder();
    await git(root, 'init', '-q', '-b', 'main');
    await ok(['policy', 'init', '--repo', 'data policies', '--github']);
    const { jobs } = parse(await readFile(join(root, DRIFT), 'utf8')) as Workflow;
    expect(jobs.drift?.defaults.run['working-directory']).toBe('data policies');
    await expect(stat(join(root, 'data policies/.github'))).rejects.toThrow('ENOENT');
  });
});

describe('the scripts of the workflows', () => {
  it('open a pull request', async () => {
    const project = await driftProject();
    await project.ok(['init', '--github']);
    project.change('ALTER TABLE customers ADD COLUMN phone TEXT');
    const [{ jobs }] = await workflowsOf(project);
    const { GITHUB_TOKEN = '', ...runner } = project.environment;
    const values = { ...runner, 'github.token': GITHUB_TOKEN };
    const output = await runJob(project, jobs.drift as Job, values);
    expect(output).toContain('Opened pull request #1');
    expect(project.github.problems).toEqual([]);
  });

  it('check, bundle and deploy, and leave no key behind', async () => {
    const project = await shopProject();
    const { root, ok } = project;
    await ok(['policy', 'pack', 'add', 'starter']);
    await ok(['keys', 'generate']);
    await ok(['init', '--github']);
    await git(root, 'init', '-q', '-b', 'main');
    await git(root, 'add', '.');
    await git(root, 'commit', '-q', '-m', 'First');
    const dataDir = await temporaryFolder();
    const adminPassword = 'a long enough password';
    const server = await startServe({
      cwd: root,
      dataDir,
      publicKeyFile: join(root, '.vkit/keys/vkit_pub.pem'),
      adminPassword,
    });
    onTestFinished(() => server.kill());
    await ok(['login', '-e', server.url, '--email', 'admin@acme.test', '--password-stdin'], {
      stdin: adminPassword,
    });
    const password = 'the password of a pipeline';
    const account = ['user', 'create', '--email', 'ci@acme.test', '--role', 'policy_admin'];
    await ok([...account, '--password-stdin'], { stdin: password });
    const key = await readFile(join(root, '.vkit/keys/vkit_priv.pem'), 'utf8');
    await mkdir(join(root, 'config/tests'), { recursive: true });
    const values = {
      'secrets.VKIT_SIGNING_KEY': key.trimEnd(),
      'secrets.VKIT_PASSWORD': password,
      'vars.VKIT_EMAIL': 'ci@acme.test',
      'vars.VKIT_API_URL': server.url,
    };
    const [, { jobs }] = await workflowsOf(project);
    expect(await runJob(project, jobs.check as Job, {})).toContain('no policy tests');
    const output = await runJob(project, jobs.deploy as Job, values);
    expect(output).toContain('Logged out');
    expect(output).not.toContain(password);
    expect((await ok(['policy', 'list', '--json'])).stdout).toContain('"active"');
    expect(await git(root, 'status', '--porcelain')).not.toContain('pem');
  });
});
