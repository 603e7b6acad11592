import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { beginDeployment, type DeploymentOptions, deployedCommit, endDeployments } from './deployment.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** A stand-in of GitHub's API that answers with these, one after the other, and keeps what it was asked. */
async function github(
  ...answers: [number, unknown][]
): Promise<{ apiUrl: string; asked: { url: string; body: Record<string, unknown> }[] }> {
  const asked: { url: string; body: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      asked.push({ url: request.url ?? '', body: JSON.parse(text || '{}') as Record<string, unknown> });
      const [status, body] = answers.shift() ?? [500, {}];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return { apiUrl: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, asked };
}

const options = (apiUrl: string): DeploymentOptions => ({
  apiUrl,
  token: 'token-of-the-test',
  repository: 'acme/platform',
  sha: 'f'.repeat(40),
  environment: 'production',
  description: 'Rollout of example.com',
  logUrl: 'https://github.com/acme/platform/actions/runs/1',
  url: 'https://platform.example.com',
});

describe('a GitHub Deployment', () => {
  it('is made in progress, and told how it ended, with its address', async () => {
    const { apiUrl, asked } = await github([201, { id: 7 }], [201, {}], [201, {}]);
    const deployment = await beginDeployment(options(apiUrl), () => undefined);
    await deployment.tell('success', 'x'.repeat(300));
    expect(asked.map(({ url }) => url)).toEqual([
      '/repos/acme/platform/deployments',
      '/repos/acme/platform/deployments/7/statuses',
      '/repos/acme/platform/deployments/7/statuses',
    ]);
    expect(asked[0]?.body).toMatchObject({ environment: 'production', auto_merge: false, required_contexts: [] });
    expect(asked.map(({ body }) => body.state)).toEqual([undefined, 'in_progress', 'success']);
    expect(asked[2]?.body.environment_url).toBe('https://platform.example.com');
    expect(String(asked[2]?.body.description)).toHaveLength(140);
  });

  it('names the permission that is missing, and holds no token', async () => {
    const { apiUrl, asked } = await github([403, { message: 'Resource not accessible by integration' }]);
    const refused = await beginDeployment(options(apiUrl), () => undefined).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'github-deployment' });
    expect(JSON.stringify(refused)).not.toContain('token-of-the-test');
    expect((refused as { next: string }).next).toContain('deployments: write');
    expect(asked).toHaveLength(1);
  });

  it('does not stop a rollout that GitHub does not want to hear of', async () => {
    const { apiUrl } = await github([201, { id: 7 }], [201, {}], [404, {}]);
    const warnings: string[] = [];
    const deployment = await beginDeployment(options(apiUrl), (line) => warnings.push(line));
    await deployment.tell('failure', 'it failed');
    expect(warnings).toHaveLength(1);
  });
});

describe('earlier deployments of an environment', () => {
  const ids = [9, 8, 7, 6, 5, 4, 3].map((id) => ({ id }));
  const ended = (asked: { url?: string | undefined }[]) => asked.slice(1).map(({ url }) => url?.split('/').at(-2));

  it('end with a new one: the newest of them, and not the new one', async () => {
    const { apiUrl, asked } = await github([200, ids], ...Array(5).fill([201, {}]));
    expect(await endDeployments(options(apiUrl), 'preview/pr-1', 9)).toBe(5);
    expect(ended(asked)).toEqual(['8', '7', '6', '5', '4']);
    expect(asked.slice(1).every(({ body }) => body.state === 'inactive')).toBe(true);
  });

  it('all end where nothing is deployed any more', async () => {
    const { apiUrl, asked } = await github([200, ids], ...Array(7).fill([201, {}]));
    expect(await endDeployments(options(apiUrl), 'preview/pr-1')).toBe(7);
    expect(ended(asked)).toEqual(['9', '8', '7', '6', '5', '4', '3']);
  });
});

describe('the commit that is deployed', () => {
  it('is the head of a pull request, not the commit that merges it', () => {
    expect(deployedCommit({ pull_request: { head: { sha: 'head' } } }, 'merge')).toBe('head');
    expect(deployedCommit({}, 'pushed')).toBe('pushed');
  });
});
