import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(`${process.env.RUNNER_TEMP}/mcprt-compile-cache`);
const { backupAction } = await import('./main-backup.js');

await backupAction('1.0.0');
