import type { IncomingHttpHeaders } from 'node:http';

import type { ResumeSettings } from '../socket/resume-options.ts';
import type { Beginning, Start } from '../socket/resumable-socket.ts';
import type { RoleHost } from '../socket/role.ts';
import { readGrant, RESUME_HEADER } from '../wire/resume-header.ts';
import { ClientRole, type Dial } from './client-role.ts';

/** The client's first handshake: the server's answer says whether it resumes. */
export class ClientStart implements Start {
  /** Before the answer there is no connection that could be ended. */
  readonly mattersForEnds = false;
  readonly #host: RoleHost;
  readonly #settings: ResumeSettings;
  readonly #dial: Dial;

  constructor(host: RoleHost, settings: ResumeSettings, dial: Dial) {
    this.#host = host;
    this.#settings = settings;
    this.#dial = dial;
  }

  onUpgrade(headers: IncomingHttpHeaders): Beginning | null {
    const grant = readGrant(headers[RESUME_HEADER.toLowerCase()]);
    if (!grant) return null;
    const role = new ClientRole(this.#host, this.#dial, this.#settings, grant.id);
    return {
      window: this.#settings.window,
      peerWindow: grant.window,
      role,
      begin: (connection, carrier) => {
        role.begin(connection);
        role.join(carrier);
      },
    };
  }

  hurry(): void {
    // The answer to the handshake comes by itself.
  }

  stop(): void {
    // Nothing runs.
  }
}
