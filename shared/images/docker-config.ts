import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRecord, parsedJson } from '../json.js';

/** What of Docker's configuration tells where passwords are: in ours there is one registry, and its own. */
const logins = ['auths', 'credsStore', 'credHelpers'];

/**
 * Writes a configuration of Docker's into a private folder: the user's own, with its contexts and plugins, and with other
 * logins. Passwords of the user's are not copied.
 *
 * @param env as Docker is run with
 * @param auths logins by registry
 * @returns the folder, for DOCKER_CONFIG; whoever asks removes it
 */
export async function writeDockerConfig(
  env: Readonly<Record<string, string>>,
  auths: Readonly<Record<string, { auth: string }>>,
): Promise<string> {
  const own = env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker');
  const text = await readFile(join(own, 'config.json'), 'utf8').catch(() => '{}');
  const parsed = parsedJson(text);
  const kept = Object.fromEntries(
    Object.entries(isRecord(parsed) ? parsed : {}).filter(([name]) => !logins.includes(name)),
  );
  const folder = await mkdtemp(join(env.TMPDIR || tmpdir(), 'mcprt-docker-'));
  try {
    for (const name of await readdir(own).catch((): string[] => [])) {
      if (name !== 'config.json') await symlink(join(own, name), join(folder, name));
    }
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...kept, auths }), { mode: 0o600, flag: 'wx' });
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
