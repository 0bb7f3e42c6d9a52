import type net from 'node:net';
import { buffer } from 'node:stream/consumers';

import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { connect, createServer, type WsConnAdapter } from '../../src/index.ts';
import { closeOf, next } from '../support/events.ts';
import { makeCertificate } from '../support/programs/certificate.ts';
import { describeWith } from '../support/programs/program.ts';

const MIB = 1024 * 1024;

describeWith(
  'openssl',
  'nodemailer over an adapter, to an SMTP server that is handed it',
  (openssl) => {
    test('a mail with an attachment of 1 MiB arrives, encrypted by STARTTLS', async () => {
      const certificate = makeCertificate(openssl, 'mail.internal');
      const mails: Buffer[] = [];
      const secure: boolean[] = [];
      const smtp = new SMTPServer({
        ...certificate,
        authOptional: true,
        onData: (stream, session, done) => {
          secure.push(session.secure);
          void buffer(stream).then((mail) => {
            mails.push(mail);
            done();
          });
        },
      });
      const server = createServer((socket) => smtp.server.emit('connection', socket)).listen(
        0,
        '127.0.0.1',
      );
      onTestFinished(() => server.close());
      await next(server, 'listening');
      const { port } = server.address() as net.AddressInfo;

      const connections: WsConnAdapter[] = [];
      const transport = nodemailer.createTransport({
        host: 'mail.internal',
        requireTLS: true,
        tls: { ca: certificate.cert },
        getSocket: (_options, callback) => {
          const connection = connect(`ws://127.0.0.1:${String(port)}`);
          connections.push(connection);
          connection.once('error', (error) => {
            callback(error);
          });
          connection.once('connect', () => {
            callback(null, { connection });
          });
        },
      });
      const attachment = bytesOf(1, MIB);
      const { accepted } = await transport.sendMail({
        from: 'a@mail.internal',
        to: 'b@mail.internal',
        subject: 'hello',
        attachments: [{ filename: 'bytes', content: attachment }],
      });
      transport.close();
      await Promise.all(connections.map(closeOf));

      expect(accepted).toEqual(['b@mail.internal']);
      expect(secure).toEqual([true]);
      const mail = String(mails[0]);
      const base64 = mail.slice(mail.indexOf('\r\n\r\n'));
      expect(sha256(Buffer.from(base64, 'base64'))).toBe(sha256(attachment));
    });
  },
);
