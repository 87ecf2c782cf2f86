import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createPoster, measure } from './bench/govern/cycles.js';
const server = spawn(process.execPath, [...(process.argv[3]?['--cpu-prof','--cpu-prof-dir=/tmp/opsprof']:[]), process.argv[2]!], { stdio: ['ignore', 'pipe', 'inherit'] });
const [line] = (await once(createInterface({ input: server.stdout! }), 'line')) as [string];
const { address, token } = JSON.parse(line);
const v = createPoster(address, token);
const cpu=()=>{const f=readFileSync(`/proc/${server.pid}/stat`,'utf8').split(' ');return (Number(f[13])+Number(f[14]))*10};
const body = JSON.stringify({ aql: { source_table: 'customers', columns: ['id', 'email'], limit: 1 } });
const org='/api/v1/orgs/acme';
const req=async()=>{ await v.post(`${org}/requests`, body)};
const { grant_ref } = JSON.parse(await v.post(`${org}/requests`, body));
const fet=async()=>{ await v.post(`${org}/grants/${grant_ref}/fetch`,'{}')};
await measure(req,16,1); await measure(fet,16,1);
for (const [n,f] of [['request',req],['fetch',fet]] as const) for (const c of [1,16]) { const a=cpu(); const m=await measure(f,c,3); const used=cpu()-a; console.log(n,c,m.perSecond.toFixed(0),'/s p99',m.p99Ms.toFixed(1),'cpu ms each',(used/(m.perSecond*3)).toFixed(3)); }
v.close(); server.kill('SIGTERM');
