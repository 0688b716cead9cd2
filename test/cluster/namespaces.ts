import { execFileSync } from 'node:child_process';
import { findProgram } from '../support/private-server.ts';

/** A machine of its own as far as the network goes: one address, one cable to the switch. */
export interface Namespace {
  readonly name: string;
  readonly address: string;
  /** A command line that runs in it. */
  wrap(command: readonly string[]): readonly string[];
  /** Pulls the cable: packets vanish, nobody is told. */
  unplug(): void;
  plug(): void;
}

/** A switch with a cable to every namespace and one to this machine. */
export interface Network {
  /** Of this machine on the switch. */
  readonly address: string;
  add(name: string): Namespace;
  close(): void;
}

/** All of ours begin like this, with the process that made them: what a killed run left is known by it. */
const MARK = 'mx';
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
const quietly = (...args: string[]) => {
  try {
    return ip(...args);
  } catch {
    return '';
  }
};

/** Why there can be no namespaces here; undefined: there can. */
export function namespacesMissing(): string | undefined {
  if (!findProgram('ip')) return 'network namespaces need iproute2';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `${MARK}${process.pid}p`;
  try {
    // All that is needed: a cable, a switch, a process inside, a disk that only it sees, a way to look in (nsenter).
    ip('netns', 'add', probe);
    ip('link', 'add', `${probe}0`, 'type', 'veth', 'peer', 'name', `${probe}1`);
    ip('link', 'add', `${probe}b`, 'type', 'bridge');
    ip('netns', 'exec', probe, 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs /tmp && nsenter -t $$ -m true');
    return undefined;
  } catch (error) {
    const words = String((error as { stderr?: unknown }).stderr ?? error).trim();
    return `the kernel allows no network namespaces (${words.split('\n').at(-1)})`;
  } finally {
    quietly('link', 'del', `${probe}0`);
    quietly('link', 'del', `${probe}b`);
    quietly('netns', 'del', probe);
  }
}

/** Makes a switch in a range of addresses of its own (10.213.x.0/24); close it after use. */
export function network(): Network {
  sweep();
  const bridge = `${MARK}${process.pid}`;
  const range = `10.213.${process.pid % 250}`;
  const address = `${range}.1`;
  ip('link', 'add', bridge, 'type', 'bridge');
  ip('addr', 'add', `${address}/24`, 'dev', bridge);
  ip('link', 'set', bridge, 'up');
  let count = 0;
  return {
    address,
    add(label) {
      count++;
      const name = `${bridge}-${label}`;
      const own = `${range}.${10 + count}`;
      const cable = `${bridge}v${count}`;
      ip('netns', 'add', name);
      ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      ip('link', 'set', cable, 'master', bridge, 'up');
      ip('-n', name, 'addr', 'add', `${own}/24`, 'dev', 'eth0');
      ip('-n', name, 'link', 'set', 'eth0', 'up');
      ip('-n', name, 'link', 'set', 'lo', 'up');
      return {
        name,
        address: own,
        wrap: (command) => ['ip', 'netns', 'exec', name, ...command],
        unplug: () => void ip('link', 'set', cable, 'down'),
        plug: () => void ip('link', 'set', cable, 'up'),
      };
    },
    close: () => remove(process.pid),
  };
}

/** Removes what runs left that were killed. */
function sweep(): void {
  const names = `${quietly('netns', 'list')}\n${quietly('-br', 'link', 'show', 'type', 'bridge')}`;
  for (const [, pid] of names.matchAll(new RegExp(`^${MARK}(\\d+)`, 'gm'))) {
    try {
      process.kill(Number(pid), 0);
    } catch {
      remove(Number(pid));
    }
  }
}

/** A namespace takes its end of the cable with it, and thereby the cable. */
function remove(pid: number): void {
  for (const line of quietly('netns', 'list').split('\n')) {
    const name = line.split(' ')[0] ?? '';
    if (name.startsWith(`${MARK}${pid}-`)) quietly('netns', 'del', name);
  }
  quietly('link', 'del', `${MARK}${pid}`);
}
