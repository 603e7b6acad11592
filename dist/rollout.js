import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(`${process.env.RUNNER_TEMP}/mcprt-compile-cache`);
const { rolloutAction } = await import('./main-rollout.js');

await rolloutAction('1.0.0');
