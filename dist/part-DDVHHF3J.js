import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
async function f(e,o,s){let n=[],t=0;for await(let r of e){if(t+=r.length,t>o)throw s();n.push(r)}return Buffer.concat(n,t)}async function*l(e,o,s){let n=[],t=0;for await(let r of e){let i=r.split(`
`),c=i.pop()??"";for(let a of i)yield n.join("")+a,n=[],t=0;if(n.push(c),t+=c.length,t>o)throw s()}t>0&&(yield n.join(""))}export{f as a,l as b};
