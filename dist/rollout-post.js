import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(`${process.env.RUNNER_TEMP}/mcprt-compile-cache`);
const { rolloutPostAction } = await import('./main-rollout-post.js');

await rolloutPostAction();
