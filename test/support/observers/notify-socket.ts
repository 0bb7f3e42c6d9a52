import { join } from 'node:path';

import { WatchedProgram } from '../programs/watched-program.ts';

/**
 * Listens as systemd does on the socket of sd_notify(3), and prints each message with the time at
 * which it came. It closes the descriptors of a barrier, for which systemd-notify waits.
 */
const RECEIVER = `
import array, json, os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(65536, socket.CMSG_SPACE(64))
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds = array.array('i')
            fds.frombytes(content)
            for fd in fds: os.close(fd)
    lines = data.decode().strip().split('\\n')
    if lines != ['BARRIER=1']:
        print(json.dumps({'lines': lines, 'at': time.monotonic()}), flush=True)
`;

/** What a service said, and when, in s of the system's monotonic clock. */
export interface Message {
  readonly lines: readonly string[];
  readonly at: number;
}

/** Hears what services tell systemd. */
export class NotifySocket {
  readonly path: string;
  readonly #program: WatchedProgram;

  private constructor(path: string, program: WatchedProgram) {
    this.path = path;
    this.#program = program;
  }

  /** Listens on a socket in a folder, until the test is over. */
  static async listen(folder: string): Promise<NotifySocket> {
    const path = join(folder, `notify-${String(Math.random()).slice(2)}`);
    const program = new WatchedProgram('python3', ['-c', RECEIVER, path]);
    await program.prints(/bound\n/);
    return new NotifySocket(path, program);
  }

  /** All messages so far. */
  get messages(): readonly Message[] {
    const [, ...lines] = this.#program.stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Message);
  }

  /** Waits until a line has come that matches, also if it came before. */
  async hears(line: RegExp): Promise<void> {
    await this.#program.prints(new RegExp(`"${line.source}`));
  }
}
