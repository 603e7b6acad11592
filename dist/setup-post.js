import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(`${process.env.RUNNER_TEMP}/mcprt-compile-cache`);
const { setupPostAction } = await import('./main-setup-post.js');

await setupPostAction();
