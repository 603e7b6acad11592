import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
var s={objects:2e4,records:2e4,archiveBytes:201326592};export{s as a};
