import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

import type { AgentConnectOpts } from 'agent-base';
import { HttpsProxyAgent } from 'https-proxy-agent';

import { OK } from '../../console/codes.ts';
import { overTls } from './over-tls.ts';
import { PROXY_TIMEOUT, type ProxyFailures } from './proxy-failures.ts';

/** What an answer of a proxy to CONNECT means. */
const STATUSES: Readonly<Record<number, string>> = {
  403: 'it does not allow this address or port (403): ask its operator',
  407: 'it requires a login (407): put user and password into the URL of WSCONN_PROXY',
  502: 'it cannot reach the server (502): check host and port of the URL',
  503: 'it cannot reach the server (503): check host and port of the URL',
  504: 'it got no answer from the server (504): check host and port of the URL',
};

/** By these a proxy refuses a login; tinyproxy answers 401. */
const LOGIN_STATUSES = new Set([401, 407]);

/** Goes through an HTTP proxy by CONNECT; to one of https: over TLS. */
export class HttpProxyAgent extends HttpsProxyAgent<string> {
  readonly #failures: ProxyFailures;
  readonly #givingUp: AbortController;

  /** @param ca - CA of the proxy; undefined for those known to Node */
  constructor(url: URL, failures: ProxyFailures, ca: string | undefined) {
    const givingUp = new AbortController();
    // It passes on what the types lack, to net.connect() and tls.connect().
    const options: object = { signal: givingUp.signal, ...(ca === undefined ? {} : { ca }) };
    super(url, options);
    this.#failures = failures;
    this.#givingUp = givingUp;
  }

  override async connect(request: ClientRequest, options: AgentConnectOpts): Promise<Socket> {
    let status: number | undefined;
    request.once('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
      status = statusCode;
    });
    const limit = setTimeout(() => {
      this.#givingUp.abort();
    }, PROXY_TIMEOUT);
    let socket: Socket;
    try {
      socket = await super.connect(request, { ...options, secureEndpoint: false });
    } catch (error) {
      if (this.#givingUp.signal.aborted) throw this.#failures.late();
      throw this.#failures.unusable(error);
    } finally {
      clearTimeout(limit);
    }
    if (status === OK) return overTls(socket, options);
    socket.destroy();
    throw this.#failures.refused(this.#reasonOf(status));
  }

  #reasonOf(status = 0): string {
    if (LOGIN_STATUSES.has(status) && this.proxy.username !== '') {
      return `it refuses user or password (${String(status)}): check those in its URL`;
    }
    return STATUSES[status] ?? `it answered with HTTP status ${String(status)}`;
  }
}
