// One end of a reverse dialer in a process of its own, for the tests that kill it:
//   node --import tsx revdial-process.ts server        prints {"port":N}, and {"dialer":ID} for each control connection
//   node --import tsx revdial-process.ts device URL    prints {"connected":true}, and sends back what it gets
import { connect } from '../../src/index.ts';
import { RevdialListener } from '../../src/revdial/index.ts';
import { CONTROL_PATH, dialBackTo, echo, startHub } from '../support/pairs/revdial-hub.ts';

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// The test is gone when its end of the pipe is.
process.stdin.on('end', () => process.exit()).resume();

const [role, url = ''] = process.argv.slice(2);
if (role === 'server') {
  const hub = await startHub();
  answer({ port: Number(new URL(hub.url).port) });
  for (;;) answer({ dialer: (await hub.nextDialer()).id });
} else {
  const control = connect(`${url}${CONTROL_PATH}`);
  control.once('connect', () => {
    answer({ connected: true });
  });
  echo(new RevdialListener(control, dialBackTo(url, { tcpEndIsEof: true })));
}
