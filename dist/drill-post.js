import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(`${process.env.RUNNER_TEMP}/mcprt-compile-cache`);
const { drillPostAction } = await import('./main-drill-post.js');

await drillPostAction();
