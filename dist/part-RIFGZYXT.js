import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function r(...e){for(let o of e)o.on("error",()=>{})}export{r as a};
