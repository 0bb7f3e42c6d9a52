/** Two pipes from TCP to TCP, nothing more: what Node can do at best. */
import net from 'node:net';

import { HOST, listenPort, nextPort } from './arguments.ts';
import { pipeBoth } from './pipe-both.ts';

net
  .createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    pipeBoth(
      socket,
      net.connect({ port: nextPort, host: HOST, noDelay: true, allowHalfOpen: true }),
    );
  })
  .listen(listenPort, HOST);
