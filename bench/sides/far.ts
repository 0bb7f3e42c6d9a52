/**
 * The far end of a measurement, in a process of its own: `node far.mjs CONTESTANT`. It prints its
 * port, does what streams ask for (flow.ts), and answers the lines on its input (usage.ts).
 */
import { createInterface } from 'node:readline';

import { contestant } from './contestants.ts';
import { obey } from './flow.ts';
import { answerOfBoth } from './usage.ts';

console.log(String(await (await contestant(process.argv[2])).listen(obey)));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answerOfBoth(line)));
}
process.exit();
