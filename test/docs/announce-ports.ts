/** Loaded before a snippet of the documentation: prints each port that it listens on to stderr. */
import net from 'node:net';

// eslint-disable-next-line @typescript-eslint/unbound-method -- It is called with the server it is asked of.
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
  this.once('listening', () => {
    process.stderr.write(`listening on ${String((this.address() as net.AddressInfo).port)}\n`);
  });
  return Reflect.apply(listen, this, args) as net.Server;
};
