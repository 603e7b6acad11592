import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{c as a}from"./part-YFWEV3BR.js";import{execFile as d}from"node:child_process";import{realpath as g,stat as p,writeFile as m}from"node:fs/promises";import{basename as y,dirname as o,join as c,resolve as l}from"node:path";import{promisify as k}from"node:util";var w=k(d),x=2e4,h=["backup.key","restore.key","offline.txt","mcprt-backup.kubeconfig"];async function A(e){let t=await u(l(e)),r=await f(t);if(r===void 0)return;let i=h.map(n=>c(t,n));return await w("git",["check-ignore","--",...i],{cwd:r,timeout:x}).then(({stdout:n})=>n.trim().split(`
`).length,()=>0)===i.length?void 0:r}async function u(e){let t=await g(e).catch(()=>{});return t!==void 0||o(e)===e?t??e:c(await u(o(e)),y(e))}async function f(e){return await p(c(e,".git")).then(()=>!0,()=>!1)?e:o(e)===e?void 0:f(o(e))}async function $(e,{backup:t,restore:r,offline:i}){for(let[s,n]of Object.entries({"backup.key":t,"restore.key":r,"offline.txt":i}))await m(c(e,s),n,{mode:384,flag:"wx"})}import{parseArgs as P}from"node:util";function E(e,t){try{return P(t).values}catch(r){process.stderr.write(`${e}
${a(r)}
`),process.exitCode=2;return}}function K({code:e,message:t,why:r,next:i},s=n=>n){process.stderr.write(s(`${e}: ${t}
why: ${r}
next: ${i}
`)),process.exitCode=1}export{A as a,$ as b,E as c,K as d};
