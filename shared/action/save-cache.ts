// A program of its own, as the official cache client takes paths only below the present folder and GITHUB_WORKSPACE,
// which are one for a whole process. It is started in a folder that is both: save-cache.js KEY MEMBER
import { fileURLToPath } from 'node:url';

/** Path of this program. */
export const program: string = fileURLToPath(import.meta.url);

if (process.argv[1] === program) {
  const [, , key = '', member = ''] = process.argv;
  const { saveCache } = await import('./official-clients.js');
  const told = await saveCache([member], key).then(
    (id) => ({ id }),
    (error: unknown) => ({ failure: error instanceof Error ? error.message : String(error) }),
  );
  process.send?.(told);
  process.disconnect?.();
}
