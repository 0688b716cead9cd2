import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { describeOnPostgres, postgresServer } from './postgres-server.ts';
import { describeOnRedis, redisServer } from './redis-server.ts';

describeOnPostgres('a private PostgreSQL', () => {
  test('keeps its data over a crash, and nothing is left after it', async () => {
    const server = await postgresServer();
    const url = await server.createDatabase();
    expect(new URL(url).hostname).toBe('127.0.0.1');
    await server.query('create table kept (n integer)', url);
    await server.query('insert into kept values (7)', url);
    await server.stop('SIGKILL');
    await expect(server.query('select 1', url)).rejects.toThrow();
    await server.start();
    expect(await server.query('select n from kept', url)).toEqual([{ n: 7 }]);
    const { pid, folder } = server;
    await server.close();
    expect(() => process.kill(pid as number, 0)).toThrow();
    expect(existsSync(folder)).toBe(false);
  });
});

describeOnRedis('a private Redis', () => {
  test('keeps its data over a crash, and nothing is left after it', async () => {
    const server = await redisServer();
    const redis = new Redis(server.url);
    redis.on('error', () => {});
    await redis.set('kept', '7');
    await server.stop('SIGKILL');
    await server.start();
    expect(await redis.get('kept')).toBe('7');
    redis.disconnect();
    const { pid, folder } = server;
    await server.close();
    expect(() => process.kill(pid as number, 0)).toThrow();
    expect(existsSync(folder)).toBe(false);
  });
});
