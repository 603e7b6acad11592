import { enableCompileCache } from 'node:module';

if (process.env.RUNNER_TEMP) enableCompileCache(`${process.env.RUNNER_TEMP}/mcprt-compile-cache`);
const { reviewedAction } = await import('./main-reviewed.js');

await reviewedAction();
