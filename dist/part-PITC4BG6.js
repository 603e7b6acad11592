import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{setTimeout as t}from"node:timers/promises";async function i(e,n){await t(e,void 0,{signal:n}).catch(o=>{throw n.throwIfAborted(),o})}async function a(e,n){let o=new AbortController;try{await Promise.race([n,t(e,void 0,{signal:o.signal})])}finally{o.abort()}}export{i as a,a as b};
