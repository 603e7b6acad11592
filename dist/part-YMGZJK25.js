import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{c}from"./part-YFWEV3BR.js";import{execFile as d}from"node:child_process";import{realpath as p,stat as m,writeFile as g}from"node:fs/promises";import{basename as y,dirname as s,join as a,resolve as l}from"node:path";import{promisify as k}from"node:util";var w=k(d),h=2e4,x=["backup.key","restore.key","offline.txt","mcprt-backup.kubeconfig"];async function b(e){let t=await u(l(e)),r=await f(t);if(r===void 0)return;let i=x.map(n=>a(t,n));return await w("git",["check-ignore","--",...i],{cwd:r,timeout:h}).then(({stdout:n})=>n.trim().split(`
`).length,()=>0)===i.length?void 0:r}async function u(e){let t=await p(e).catch(()=>{});return t!==void 0||s(e)===e?t??e:a(await u(s(e)),y(e))}async function f(e){return await m(a(e,".git")).then(()=>!0,()=>!1)?e:s(e)===e?void 0:f(s(e))}async function A(e,{backup:t,restore:r,offline:i}){for(let[o,n]of Object.entries({"backup.key":t,"restore.key":r,"offline.txt":i}))await g(a(e,o),n,{mode:384,flag:"wx"})}import{parseArgs as v}from"node:util";function j(e,t){try{let{values:r,tokens:i}=v({...t,tokens:!0}),o=i?.find(n=>n.kind==="option"&&n.value==="");if(o?.kind==="option")throw new Error(`${o.rawName} has an empty value: give one, or leave it out`);return r}catch(r){process.stderr.write(`${e}
${c(r)}
`),process.exitCode=2;return}}function K({code:e,message:t,why:r,next:i},o=n=>n){process.stderr.write(o(`${e}: ${t}
why: ${r}
next: ${i}
`)),process.exitCode=1}export{b as a,A as b,j as c,K as d};
