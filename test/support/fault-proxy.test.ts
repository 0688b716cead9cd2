import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type FaultProxy, faultProxy } from './fault-proxy.ts';
import { pause, until } from './until.ts';

/** A server that says everything back, and a way to it. */
async function echo(): Promise<{ proxy: FaultProxy; behind: Set<Socket> }> {
  const behind = new Set<Socket>();
  const server = createServer((socket) => {
    behind.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => behind.delete(socket));
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await faultProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  onTestFinished(async () => {
    await proxy.close();
    for (const socket of behind) socket.destroy();
    server.close();
  });
  return { proxy, behind };
}

function client({ host, port }: FaultProxy) {
  const socket = connect(port, host);
  const state = { heard: '', failure: '', over: false };
  socket.on('data', (chunk) => {
    state.heard += chunk.toString();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    state.failure = error.code ?? '';
  });
  socket.on('close', () => {
    state.over = true;
  });
  onTestFinished(() => void socket.destroy());
  return { state, say: (text: string) => socket.write(text), end: () => socket.end() };
}

test('an open way passes everything on, in order, and the end', async () => {
  const { proxy } = await echo();
  const one = client(proxy);
  for (const word of ['a', 'b', 'c']) one.say(word);
  await until(() => one.state.heard === 'abc');
  one.end();
  await until(() => one.state.over);
  expect(one.state.failure).toBe('');
  await until(() => proxy.connections === 0);
});

test('held: nothing arrives until it is open again, and then in order', async () => {
  const { proxy } = await echo();
  const one = client(proxy);
  one.say('a');
  await until(() => one.state.heard === 'a');
  proxy.set('held');
  one.say('b');
  await pause(100);
  expect(one.state.heard).toBe('a');
  proxy.set('slow');
  one.say('c');
  proxy.set('open');
  one.say('d');
  await until(() => one.state.heard === 'abcd');
});

test('refused: old connections are reset, new ones too, until it is open again', async () => {
  const { proxy, behind } = await echo();
  const one = client(proxy);
  one.say('a');
  await until(() => one.state.heard === 'a');
  proxy.set('refused');
  const two = client(proxy);
  await until(() => one.state.over && two.state.over);
  expect(one.state.failure).toBe('ECONNRESET');
  await until(() => behind.size === 0);
  proxy.set('open');
  const three = client(proxy);
  three.say('c');
  await until(() => three.state.heard === 'c');
});

test('reset: only what is open breaks', async () => {
  const { proxy } = await echo();
  const one = client(proxy);
  one.say('a');
  await until(() => one.state.heard === 'a');
  proxy.reset();
  await until(() => one.state.over);
  const two = client(proxy);
  two.say('b');
  await until(() => two.state.heard === 'b');
});

test('lost: the server behind sees an end, the client hears nothing at all', async () => {
  const { proxy, behind } = await echo();
  const one = client(proxy);
  one.say('a');
  await until(() => one.state.heard === 'a');
  proxy.lose();
  await until(() => behind.size === 0);
  one.say('b');
  await pause(100);
  expect(one.state).toEqual({ heard: 'a', failure: '', over: false });
  const two = client(proxy);
  two.say('c');
  await until(() => two.state.heard === 'c');
});
