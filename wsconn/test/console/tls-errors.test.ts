import { describe, expect, test } from 'vitest';

import { explain } from '../../src/console/explain.ts';
import { tlsAlertOf } from '../../src/console/tls-errors.ts';

function errorOf(code: string, message = 'x'): Error {
  return Object.assign(new Error(message), { code });
}

describe('an alert of TLS', () => {
  test.each([
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', /certificate of --cert is revoked/],
    // As OpenSSL 3.2 and newer name it.
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', /refuses the certificate of --cert/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /does not know the CA of the certificate of --cert/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /none of the versions of TLS/],
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', /nothing for that name: .*--servername/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /requires a client certificate/],
  ])('%s is explained', (code, line) => {
    expect(explain(errorOf(code))).toMatch(line);
    expect(explain(errorOf(code))).toContain(`(${code})`);
  });

  test.each([
    ['414', 44, /is revoked/],
    ['418', 48, /does not know the CA/],
    ['45C', 116, /requires a client certificate/],
  ])('is known by its number in an EPROTO: %s', (reason, number, line) => {
    const text = `write EPROTO 807C:error:0A000${reason}:SSL routines:x:y:alert number ${String(number)}`;
    expect(explain(errorOf('EPROTO', text))).toMatch(line);
  });

  test('is none of the other errors', () => {
    expect(
      tlsAlertOf(errorOf('EPROTO', 'write EPROTO 80:error:0A00010B:SSL routines:')),
    ).toBeUndefined();
    expect(explain(errorOf('EPROTO'))).toMatch(/may not speak TLS/);
    expect(tlsAlertOf(errorOf('ERR_SSL_WRONG_VERSION_NUMBER'))).toBeUndefined();
    expect(tlsAlertOf('ALERT')).toBeUndefined();
  });
});
