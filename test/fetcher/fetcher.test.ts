import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AppError, type ErrorName } from '../../src/errors.ts';
import { createFetcher, type DownloadOptions, type FetcherOptions } from '../../src/fetcher/fetcher.ts';
import { httpServer, type TestServer } from '../support/http-server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const CONTENT = Buffer.from('the picture');
let server: TestServer;
let requests: { url: string; headers: Record<string, unknown> }[] = [];

beforeAll(async () => {
  server = await httpServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://local');
    requests.push({ url: request.url ?? '', headers: request.headers });
    const number = Number(url.searchParams.get('n'));
    switch (url.pathname) {
      case '/status':
        return response.writeHead(number).end(CONTENT);
      case '/hop':
        return response.writeHead(302, { location: number > 1 ? `/hop?n=${number - 1}` : '/ok' }).end();
      case '/to':
        return response
          .writeHead(Number(url.searchParams.get('status') ?? 302), { location: url.searchParams.get('location') ?? '' })
          .end('moved');
      case '/raw-location':
        return response.writeHead(302, { location: Buffer.from('/ok?名=一 二').toString('latin1') }).end();
      case '/nowhere':
        return response.writeHead(302).end();
      case '/bytes':
        return response.writeHead(200).end(Buffer.alloc(number, 7));
      case '/chunked':
        for (let i = 0; i < 10; i++) response.write(Buffer.alloc(number / 10, 7));
        return response.end();
      case '/endless': {
        const timer = setInterval(() => response.write(Buffer.alloc(65_536)), 1);
        return response.on('close', () => clearInterval(timer));
      }
      case '/slow-body':
        response.write('a');
        return;
      case '/drip': {
        const timer = setInterval(() => response.write('a'), 50);
        return response.on('close', () => clearInterval(timer));
      }
      case '/silent':
        return;
      case '/short':
        response.writeHead(200, { 'content-length': '100' }).write('only this');
        setTimeout(() => response.destroy(), 20);
        return;
      case '/drop':
        return request.socket.destroy();
      case '/empty':
        return response.writeHead(200).end();
      case '/lie':
        return response.writeHead(200, { 'content-length': '5000000000' }).write('x');
      default:
        return response.end(CONTENT);
    }
  });
});
afterAll(() => server.close());

function fetcher(options: Partial<FetcherOptions> = {}) {
  const made = createFetcher({ timeout: 5000, redirects: 3, allow: ['127.0.0.1'], ports: ['80', '443'], ...options });
  onTestFinished(() => made.close());
  return made;
}

/** Downloads and tells the outcome; on failure nothing may be left in the folder. */
async function get(
  link: string,
  options: Partial<FetcherOptions> = {},
  download: Partial<DownloadOptions> = {},
): Promise<Buffer | ErrorName> {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  try {
    const { bytes } = await fetcher(options).download(link, path, { maxBytes: 100_000, ...download });
    const content = readFileSync(path);
    expect(bytes).toBe(content.length);
    return content;
  } catch (error) {
    expect(readdirSync(folder)).toEqual([]);
    if (!(error instanceof AppError)) throw error;
    expect(error.message).not.toMatch(/\d+\.\d+\.\d+\.\d+|ECONN|ENOTFOUND|::1/);
    return error.kind;
  }
}

describe('forms of forbidden addresses, without any allow-list', () => {
  test.each([
    ['dotted', 'http://127.0.0.1/'],
    ['decimal', 'http://2130706433/'],
    ['octal', 'http://0177.0.0.1/'],
    ['octal in one number', 'http://017700000001/'],
    ['hex', 'http://0x7f000001/'],
    ['hex by parts', 'http://0x7f.0x0.0x0.0x1/'],
    ['short, two parts', 'http://127.1/'],
    ['short, three parts', 'http://127.0.1/'],
    ['zero', 'http://0/'],
    ['zero dotted', 'http://0.0.0.0/'],
    ['mixed octal and hex', 'http://0177.0x0.0.1/'],
    ['with a last dot', 'http://127.0.0.1./'],
    ['full-width digits', 'http://１２７.０.０.１/'],
    ['circled digits', 'http://①②⑦.⓪.⓪.①/'],
    ['ideographic full stops', 'http://127。0。0。1/'],
    ['percent-encoded', 'http://%31%32%37.0.0.1/'],
    ['IPv6 loopback', 'http://[::1]/'],
    ['IPv6 loopback written out', 'http://[0:0:0:0:0:0:0:1]/'],
    ['IPv6 unspecified', 'http://[::]/'],
    ['mapped', 'http://[::ffff:127.0.0.1]/'],
    ['mapped in hex', 'http://[::ffff:7f00:1]/'],
    ['mapped written out', 'http://[0:0:0:0:0:ffff:127.0.0.1]/'],
    ['compatible', 'http://[::127.0.0.1]/'],
    ['NAT64', 'http://[64:ff9b::127.0.0.1]/'],
    ['6to4', 'http://[2002:7f00:1::]/'],
    ['link-local IPv6', 'http://[fe80::1]/'],
    ['unique local', 'http://[fd00::1]/'],
    ['metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['metadata decimal', 'http://2852039166/'],
    ['carrier-grade NAT', 'http://100.64.0.1/'],
    ['private', 'https://192.168.0.1/'],
    ['by name', 'http://localhost/'],
    ['by name with a last dot', 'http://localhost./'],
    ['by name in capitals', 'http://LOCALHOST/'],
    ['behind tabs and line feeds', 'http://127.\t0.0\n.1/'],
    ['behind a back slash', 'http://127.0.0.1\\@example.com/'],
  ])('%s: %s', async (_name, link) => {
    expect(await get(link, { allow: [] })).toBe('INVALID_URL_ERROR');
  });
});

describe('names that resolve to forbidden addresses', () => {
  const lookup = (...answers: string[][]) => {
    let call = 0;
    return async () => answers[Math.min(call++, answers.length - 1)] ?? [];
  };

  test.each([['10.0.0.1'], ['127.0.0.1'], ['::1'], ['::ffff:169.254.169.254'], ['fd00::1'], ['0.0.0.0']])('to %s', async (address) => {
    expect(await get('http://pictures.example/', { allow: [], lookup: lookup([address]) })).toBe('INVALID_URL_ERROR');
  });

  test('to several, all forbidden', async () => {
    expect(await get('http://pictures.example/', { allow: [], lookup: lookup(['10.0.0.1', '::1']) })).toBe('INVALID_URL_ERROR');
  });

  test('to nothing', async () => {
    expect(await get('http://pictures.example/', { allow: [], lookup: lookup([]) })).toBe('INVALID_URL_ERROR');
  });

  test('unknown ones', async () => {
    const unknown = async () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
    expect(await get('http://pictures.example/', { lookup: unknown })).toBe('IMAGE_DOWNLOAD_FAILED');
  });

  test('rebinding: the name is asked once per connection and the checked address is used', async () => {
    let asked = 0;
    const rebinding = async () => (asked++ === 0 ? ['127.0.0.1'] : ['10.0.0.1']);
    // The list allows the address, not the name: a second look-up would be refused.
    expect(await get(`http://pictures.example:${server.port}/ok`, { lookup: rebinding })).toEqual(CONTENT);
    expect(asked).toBe(1);
  });

  test('rebinding the other way: a public answer first, a private one at the time of connecting, is refused', async () => {
    let asked = 0;
    const rebinding = async () => (asked++ === 0 ? ['127.0.0.1'] : ['10.0.0.1']);
    const made = fetcher({ lookup: rebinding });
    const folder = temporaryFolder();
    await made.download(`http://pictures.example:${server.port}/ok`, join(folder, 'a'), { maxBytes: 100 });
    await expect(made.download('http://pictures.example/ok', join(folder, 'b'), { maxBytes: 100 })).rejects.toMatchObject({
      kind: 'INVALID_URL_ERROR',
    });
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('an allowed address among forbidden ones is the one connected to', async () => {
    expect(await get(`http://pictures.example:${server.port}/ok`, { lookup: lookup(['10.255.255.1', '127.0.0.1']) })).toEqual(CONTENT);
  });

  test('the host is sent by its name', async () => {
    requests = [];
    await get(`http://pictures.example:${server.port}/ok`, { lookup: lookup(['127.0.0.1']) });
    expect(requests[0]?.headers.host).toBe(`pictures.example:${server.port}`);
  });
});

describe('the allow-list', () => {
  test('by address', async () => expect(await get(`${server.base}/ok`)).toEqual(CONTENT));
  test('by range', async () => expect(await get(`${server.base}/ok`, { allow: ['127.0.0.0/8'] })).toEqual(CONTENT));
  test('by name', async () => expect(await get(`http://localhost:${server.port}/ok`, { allow: ['localhost'] })).toEqual(CONTENT));
  test('a name does not allow the address it has', async () => {
    expect(await get(`${server.base}/ok`, { allow: ['localhost'] })).toBe('INVALID_URL_ERROR');
  });
  test('any spelling of an allowed address', async () => {
    expect(await get(`http://2130706433:${server.port}/ok`)).toEqual(CONTENT);
  });
  test('IPv6 loopback when allowed', async () => {
    const six = await httpServer((_request, response) => response.end(CONTENT), '::1');
    onTestFinished(() => six.close());
    expect(await get(`${six.base}/ok`, { allow: ['::1'] })).toEqual(CONTENT);
    expect(await get(`${six.base}/ok`)).toBe('INVALID_URL_ERROR');
  });
});

describe('links', () => {
  test.each([
    ['empty', ''],
    ['no scheme', 'example.com/a.jpg'],
    ['relative', '/a.jpg'],
    ['protocol-relative', '//example.com/a.jpg'],
    ['ftp', 'ftp://example.com/'],
    ['file', 'file:///etc/passwd'],
    ['data', 'data:image/png;base64,AAAA'],
    ['gopher', 'gopher://127.0.0.1:6379/_FLUSHALL'],
    ['one slash', 'http:/example.com/'],
    ['no slashes', 'http:example.com'],
    ['no host', 'http:///a.jpg'],
    ['a port that is none', 'http://example.com:99999/'],
    ['user name', 'http://user@example.com/'],
    ['user name and password', 'http://user:password@example.com/'],
    ['forbidden character in the host', 'http://exa mple.com/'],
    ['wholly percent-encoded', 'http%3A%2F%2Fexample.com%2Fa.jpg'],
    ['endless', `http://example.com/${'a'.repeat(9000)}`],
  ])('%s', async (_name, link) => {
    expect(await get(link)).toBe('INVALID_URL_ERROR');
  });

  test.each([22, 25, 6379, 8080])('port %i of a public host', async (port) => {
    expect(await get(`http://8.8.8.8:${port}/`)).toBe('INVALID_URL_ERROR');
  });

  test('spaces, Chinese and a fragment are sent encoded, the fragment not at all', async () => {
    requests = [];
    expect(await get(` ${server.base}/我的 照片.jpg?q=一 二&x=%20#part `)).toEqual(CONTENT);
    expect(requests[0]?.url).toBe('/%E6%88%91%E7%9A%84%20%E7%85%A7%E7%89%87.jpg?q=%E4%B8%80%20%E4%BA%8C&x=%20');
  });

  test('what is already encoded stays as it is', async () => {
    requests = [];
    await get(`${server.base}/a%20b%2Fc.jpg?sig=a%2Bb%3D`);
    expect(requests[0]?.url).toBe('/a%20b%2Fc.jpg?sig=a%2Bb%3D');
  });
});

describe('redirects', () => {
  test.each([301, 302, 303, 307, 308])('%i is followed', async (status) => {
    expect(await get(`${server.base}/to?status=${status}&location=/ok`)).toEqual(CONTENT);
  });
  test('three are followed, a fourth is not', async () => {
    expect(await get(`${server.base}/hop?n=3`)).toEqual(CONTENT);
    expect(await get(`${server.base}/hop?n=4`)).toBe('IMAGE_DOWNLOAD_FAILED');
  });
  test('none are followed when none are allowed', async () => {
    expect(await get(`${server.base}/hop?n=1`, { redirects: 0 })).toBe('IMAGE_DOWNLOAD_FAILED');
  });
  test('a location that is not percent-encoded', async () => expect(await get(`${server.base}/raw-location`)).toEqual(CONTENT));
  test('without a location', async () => expect(await get(`${server.base}/nowhere`)).toBe('IMAGE_DOWNLOAD_FAILED'));
  test.each([
    ['a private address', 'http://10.0.0.1/'],
    ['the metadata address', 'http://169.254.169.254/latest'],
    ['a private address in hex', 'http://0xa000001/'],
    ['a mapped address', 'http://[::ffff:10.0.0.1]/'],
    ['a file', 'file:///etc/passwd'],
    ['another scheme', 'ftp://127.0.0.1/'],
    ['credentials', 'http://a:b@127.0.0.1/'],
    ['a forbidden port', 'http://8.8.8.8:22/'],
    ['nonsense', 'http://['],
  ])('to %s is refused', async (_name, location) => {
    expect(await get(`${server.base}/to?location=${encodeURIComponent(location)}`)).toBe('INVALID_URL_ERROR');
  });
});

describe('answers', () => {
  test.each([201, 204, 206, 304, 400, 401, 403, 404, 410, 500, 502])('%i is no picture', async (n) => {
    expect(await get(`${server.base}/status?n=${n}`)).toBe('IMAGE_DOWNLOAD_FAILED');
  });
  test('an empty body', async () => expect(await get(`${server.base}/empty`)).toBe('IMAGE_DOWNLOAD_FAILED'));
  test('a body cut off', async () => expect(await get(`${server.base}/short`)).toBe('IMAGE_DOWNLOAD_FAILED'));
  test('a connection dropped', async () => expect(await get(`${server.base}/drop`)).toBe('IMAGE_DOWNLOAD_FAILED'));
  test('nobody listens', async () => expect(await get('http://127.0.0.1:1/')).toBe('IMAGE_DOWNLOAD_FAILED'));
  test('https spoken to a plain server', async () => {
    expect(await get(`https://127.0.0.1:${server.port}/ok`)).toBe('IMAGE_DOWNLOAD_FAILED');
  });
  test('compression is not asked for', async () => {
    requests = [];
    await get(`${server.base}/ok`);
    expect(requests[0]?.headers['accept-encoding']).toBe('identity');
  });
});

describe('limits', () => {
  test('exactly the limit', async () => expect((await get(`${server.base}/bytes?n=100000`)).length).toBe(100_000));
  test('a byte more, announced', async () => expect(await get(`${server.base}/bytes?n=100001`)).toBe('PICTURE_OVERRUN_ERROR'));
  test('more, not announced', async () => expect(await get(`${server.base}/chunked?n=200000`)).toBe('PICTURE_OVERRUN_ERROR'));
  test('endless', async () => expect(await get(`${server.base}/endless`)).toBe('PICTURE_OVERRUN_ERROR'));
  test('five gigabytes announced', async () => expect(await get(`${server.base}/lie`)).toBe('PICTURE_OVERRUN_ERROR'));

  test.each(['/silent', '/slow-body', '/drip'])('too slow: %s', async (path) => {
    expect(await get(`${server.base}${path}`, { timeout: 400 })).toBe('DOWNLOAD_TIMEOUT_ERROR');
  });
  test("the caller's shorter time counts", async () => {
    expect(await get(`${server.base}/silent`, {}, { timeout: 299.5 })).toBe('DOWNLOAD_TIMEOUT_ERROR');
  });
  test('a slow name server', async () => {
    const never = () => new Promise<string[]>(() => undefined);
    expect(await get('http://pictures.example/', { timeout: 300, lookup: never })).toBe('DOWNLOAD_TIMEOUT_ERROR');
  });

  test('the caller goes away', async () => {
    const controller = new AbortController();
    const path = join(temporaryFolder(), 'file');
    const download = fetcher().download(`${server.base}/drip`, path, { maxBytes: 1000, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('gone')), 100);
    await expect(download).rejects.toThrow('gone');
    expect(existsSync(path)).toBe(false);
  });

  test('a file that is already there is not overwritten', async () => {
    const path = join(temporaryFolder(), 'file');
    const made = fetcher();
    await made.download(`${server.base}/ok`, path, { maxBytes: 1000 });
    await expect(made.download(`${server.base}/ok`, path, { maxBytes: 1000 })).rejects.toThrow(AppError);
  });
});
