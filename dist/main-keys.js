import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{a,b as p}from"./part-ZZNJUQU2.js";import{a as t}from"./part-XAKBRS5J.js";import{a as n}from"./part-K5UWDGDQ.js";import"./part-QHEPNVF4.js";import{a as i}from"./part-YFWEV3BR.js";import"./part-ZORDU7GE.js";import{mkdir as m}from"node:fs/promises";import{join as r}from"node:path";import{parseArgs as y}from"node:util";var k=`Makes a set of keys for mcprt and prints the lines that store them.

  node dist/keys.js [--out FOLDER] [--repo OWNER/NAME] [--classic]

  --out      folder for the three files; it must not exist yet, nor be where git would add it   (mcprt-keys)
  --repo     repository that the printed lines are for            (the one of the present folder)
  --classic  X25519 instead of the post-quantum hybrid: for a restore by hand with age older than 1.3
`;async function K(c){let{values:e}=y({args:c,options:{out:{type:"string",default:"mcprt-keys"},repo:{type:"string"},classic:{type:"boolean",default:!1},help:{type:"boolean",default:!1}}});if(e.help){process.stdout.write(k);return}let o=await a(e.out);if(o!==void 0){let{code:h,message:u,why:f,next:l}=new i("key-inside",{what:"the folder for the keys is inside of a checkout",why:`the next \`git add\` in ${o} would take ${e.out} along`,next:`give a folder outside of it: --out ${t(`${o}-mcprt-keys`)}`});process.stderr.write(`${h}: ${u}
why: ${f}
next: ${l}
`),process.exitCode=1;return}let d=await n(e.classic?"classic":"hybrid");await m(e.out,{mode:448}),await p(e.out,d);let s=e.repo===void 0?"":` --repo ${t(e.repo)}`;process.stdout.write(`Made three keys in ${e.out}. Store them with these lines, put restore.key into a password manager, then delete the folder:

  gh secret set MCPRT_BACKUP_KEY --env mcprt-backup${s} < ${t(r(e.out,"backup.key"))}
  gh secret set MCPRT_RESTORE_KEY --env mcprt-restore${s} < ${t(r(e.out,"restore.key"))}

Keep ${r(e.out,"offline.txt")} off every computer (paper, a safe): it decrypts all backups when the rest is lost.
Protect the environment mcprt-restore with required reviewers; mcprt-backup needs none: its key cannot read backups.
`)}export{K as keysCommand};
