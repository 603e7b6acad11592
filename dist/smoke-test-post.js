import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(`${process.env.RUNNER_TEMP}/mcprt-compile-cache`);
const { smokeTestPostAction } = await import('./main-smoke-test-post.js');

await smokeTestPostAction();
