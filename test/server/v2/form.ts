import type { InjectPayload } from 'light-my-request';

interface File {
  readonly bytes: Buffer;
  readonly type: string;
}

/** A multipart/form-data body (RFC 7578) with its header. */
export function form(fields: Readonly<Record<string, string>>, files: Readonly<Record<string, File>>) {
  const boundary = 'mingxi-boundary-7d1f';
  const parts = [
    ...Object.entries(fields).map(([name, value]) =>
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
    ),
    ...Object.entries(files).map(([name, { bytes, type }]) =>
      Buffer.concat([
        Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="a.jpg"\r\nContent-Type: ${type}\r\n\r\n`),
        bytes,
        Buffer.from('\r\n'),
      ]),
    ),
  ];
  const payload = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]) satisfies InjectPayload;
  return { payload, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } };
}
