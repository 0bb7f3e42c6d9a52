import type { ProxyKind } from './nginx-haproxy.ts';
import { haproxy, nginx } from './nginx-haproxy.ts';

/** A proxy that tells the server behind it where a client comes from. */
export interface TellingProxy extends ProxyKind {
  /** How it does so. */
  readonly how: string;
}

const haproxyOf = (how: string, mode: string, lines: string, server: string): TellingProxy => ({
  ...haproxy,
  how,
  configuration: (port, target) => `
defaults
  mode ${mode}
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen web
  bind 127.0.0.1:${String(port)}
${lines}
  server target 127.0.0.1:${String(target)} ${server}
`,
});

/** Those that speak HTTP, and add the client's address to X-Forwarded-For. */
export const forwardingProxies: readonly TellingProxy[] = [
  haproxyOf('option forwardfor', 'http', '  option forwardfor', ''),
  {
    ...nginx,
    how: 'proxy_set_header X-Forwarded-For',
    configuration: (...args) =>
      nginx
        .configuration(...args)
        .replace(
          'proxy_http_version 1.1;',
          'proxy_http_version 1.1;\nproxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
        ),
  },
];

/** Those that pass on TCP, TLS in it too, behind a header of the PROXY protocol. */
export const tcpProxies: readonly TellingProxy[] = [
  haproxyOf('send-proxy', 'tcp', '', 'send-proxy'),
  haproxyOf('send-proxy-v2', 'tcp', '', 'send-proxy-v2'),
  {
    ...nginx,
    how: 'proxy_protocol',
    configuration: (port, target, _limit, folder) => `
      load_module /usr/lib/nginx/modules/ngx_stream_module.so;
      daemon off;
      pid ${folder}/nginx.pid;
      error_log stderr notice;
      events {}
      stream {
        server {
          listen 127.0.0.1:${String(port)};
          proxy_pass 127.0.0.1:${String(target)};
          proxy_protocol on;
        }
      }
    `,
  },
];
