import { once } from 'node:events';
import net from 'node:net';

/**
 * Passes TCP on with a delay each way, in this process:
 * `node delay-proxy.mjs PORT MS`. It prints its port. What is on its way is
 * bounded, as in a real line, by what it may carry in that time.
 */
const [port, delay] = process.argv.slice(2).map(Number);
const MAX_ON_THE_WAY = Number(process.env['MAX_ON_THE_WAY'] ?? 8_388_608);

function pass(from: net.Socket, to: net.Socket): void {
  let onTheWay = 0;
  from.on('data', (chunk: Buffer) => {
    onTheWay += chunk.length;
    if (onTheWay >= MAX_ON_THE_WAY) from.pause();
    setTimeout(() => {
      to.write(chunk, () => {
        onTheWay -= chunk.length;
        if (onTheWay < MAX_ON_THE_WAY) from.resume();
      });
    }, delay);
  });
  from.on('close', () => to.destroy());
  from.on('error', () => to.destroy());
}

const server = net.createServer({ noDelay: true }, (near) => {
  const far = net.connect({ port: port ?? 0, host: '127.0.0.1', noDelay: true });
  pass(near, far);
  pass(far, near);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(String((server.address() as net.AddressInfo).port));
process.stdin.resume().on('end', () => {
  process.exit();
});
