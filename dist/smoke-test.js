import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(`${process.env.RUNNER_TEMP}/mcprt-compile-cache`);
const { smokeTestAction } = await import('./main-smoke-test.js');

await smokeTestAction('1.0.0');
