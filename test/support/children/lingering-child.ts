/**
 * A process that connects to a port, destroys its stream when it is there, ref'd or not as told,
 * and ends when nothing keeps it alive. Run with tsx.
 */
import { connect } from '../../../src/index.ts';

const [port = '', task] = process.argv.slice(2);
const socket = connect(`ws://127.0.0.1:${port}`, { closeTimeout: 100 });
socket.once('connect', () => {
  if (task === 'unref') socket.unref();
  socket.destroy();
});
