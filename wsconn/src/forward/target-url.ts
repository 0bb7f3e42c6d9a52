/** Returns the URL of a target of a server by its name; that of the server for the one without. */
export function urlOfTarget(server: URL, name: string): URL {
  if (name === '') return server;
  const url = new URL(server);
  const base = url.pathname.replace(/\/$/, '');
  // The path of a request stands behind that of the socket, and a colon.
  const needsColon = url.protocol === 'ws+unix:' && !base.includes(':');
  url.pathname = `${base}${needsColon ? ':' : ''}/${name}`;
  return url;
}
