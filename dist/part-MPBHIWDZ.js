import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function o({repository:t,runId:r,job:n}){return`${t}/${r}/${n}`}export{o as a};
