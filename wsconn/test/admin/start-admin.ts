import type { WatchedProgram } from '../../../test/support/programs/watched-program.ts';

/** Returns the port on which a program shows its health and its figures. */
export async function adminOf(program: WatchedProgram): Promise<{ readonly port: number }> {
  const [, port] = await program.prints(/health and figures on [^\s:]+:(\d+)/);
  return { port: Number(port) };
}

/** The option that asks for it. */
export const ADMIN = ['--admin', '127.0.0.1:0'];
