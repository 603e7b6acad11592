import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
var c={objects:2e4,records:2e4,archiveBytes:201326592},o=36e5;export{c as a,o as b};
