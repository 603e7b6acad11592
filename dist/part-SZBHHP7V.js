import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function c(o){let e=o.split(/\r?\n/),t=[];for(let n=0;n<e.length;n+=1){let[,r,s]=/^([^\n<]+)<<(\S+)$/.exec(e[n]??"")??[];if(r===void 0||s===void 0)continue;let i=e.indexOf(s,n+1);if(i===-1)break;t.push([r,e.slice(n+1,i).join(`
`)]),n=i}return Object.fromEntries(t)}export{c as a};
