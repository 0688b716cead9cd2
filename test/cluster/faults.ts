import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PrivateServer } from '../support/private-server.ts';
import type { Fault as S3Fault } from '../support/s3-faults.ts';
import { pause } from '../support/until.ts';
import type { Cluster, ClusterMember, StoreName } from './cluster.ts';

/** Kills a process and starts it again after so many milliseconds. */
export async function killed(member: ClusterMember, away: number): Promise<void> {
  await member.kill('SIGKILL');
  await pause(away);
  await member.revive();
}

/** A child that restores pictures is killed; its parent goes on. */
export function childKilled(member: ClusterMember): void {
  const [child] = member.children();
  if (child !== undefined) process.kill(child, 'SIGKILL');
}

/** A process stands still for a while, as on a machine that swaps or is moved. */
export async function frozen(member: ClusterMember, time: number): Promise<void> {
  member.freeze();
  await pause(time);
  member.thaw();
}

/** Nothing reaches the store or comes from it; afterwards what was said arrives. */
export async function held(member: ClusterMember, store: StoreName, time: number): Promise<void> {
  member.ways[store].set('held');
  await pause(time);
  member.ways[store].set('open');
}

/** The store cannot be reached; connections are broken. */
export async function refused(member: ClusterMember, store: StoreName, time: number): Promise<void> {
  member.ways[store].set('refused');
  await pause(time);
  member.ways[store].set('open');
}

export async function slowed(member: ClusterMember, store: StoreName, time: number): Promise<void> {
  member.ways[store].set('slow');
  await pause(time);
  member.ways[store].set('open');
}

/** The cable is pulled: packets vanish in both directions. */
export async function unplugged(member: ClusterMember, time: number): Promise<void> {
  member.cable?.unplug();
  await pause(time);
  member.cable?.plug();
}

/** A server program ends by the signal and is started again. */
export async function restarted(server: PrivateServer, signal: NodeJS.Signals, away: number): Promise<void> {
  await server.stop(signal);
  await pause(away);
  await server.start();
}

/** A server program stands still. */
export async function stalled(server: { signal(signal: NodeJS.Signals): void }, time: number): Promise<void> {
  server.signal('SIGSTOP');
  await pause(time);
  server.signal('SIGCONT');
}

/** The store misbehaves for everybody. */
export async function misbehaving(cluster: Cluster, fault: S3Fault, time: number): Promise<void> {
  cluster.s3.fail(fault);
  await pause(time);
  cluster.s3.fail();
}

/** The disk of a worker's data folder is full to the last byte. */
export async function full(member: ClusterMember, time: number): Promise<void> {
  const ballast = join(member.data, 'ballast');
  const onItsDisk = (...command: string[]) => spawnSync('nsenter', ['-t', String(member.pid), '-m', ...command], { encoding: 'utf8' });
  const { stderr } = onItsDisk('dd', 'if=/dev/zero', `of=${ballast}`, 'bs=4k');
  if (!stderr.includes('No space left')) throw new Error(`the disk was not filled: ${stderr}`);
  await pause(time);
  onItsDisk('rm', ballast);
}

const LIBRARIES = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1'];
/** libfaketime, which makes a process believe in another time; undefined: not installed. */
export const faketime: string | undefined = LIBRARIES.find((path) => existsSync(path));

/** From its next start a process reads its clock's offset from a file, so that the clock can jump while it runs. */
export function withClock(member: ClusterMember): { jump(seconds: number): void; remove(): void } {
  if (!faketime) throw new Error('libfaketime is not installed');
  const file = `${member.data}.clock`;
  const jump = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}s\n`);
  jump(0);
  const variables = {
    LD_PRELOAD: faketime,
    FAKETIME_TIMESTAMP_FILE: file,
    // Read anew every second; timers go by the monotonic clock, which does not jump on a real machine either.
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  for (const [name, value] of Object.entries(variables)) member.extra.set(name, value);
  return {
    jump,
    remove() {
      for (const name of Object.keys(variables)) member.extra.delete(name);
    },
  };
}
