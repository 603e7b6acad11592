import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{setTimeout as n}from"node:timers/promises";async function i(e,o){await n(e,void 0,{signal:o}).catch(t=>{throw o.throwIfAborted(),t})}export{i as a};
