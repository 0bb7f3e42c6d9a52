/** Says which end of a tunnel this process is, from its command line: `near|far PORT NEXT_PORT`. */
const [, , end, port, next] = process.argv;

export const isNear = end === 'near';
/** Where this end listens, and where it connects to: the other end, or the target. */
export const listenPort = Number(port);
export const nextPort = Number(next);
export const HOST = '127.0.0.1';
